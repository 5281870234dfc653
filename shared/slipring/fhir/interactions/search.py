"""search: strict criteria, keyset pages behind encrypted cursors, one audit row that lists what was disclosed."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from cryptography.fernet import InvalidToken
from starlette.responses import Response

from slipring.fhir.interactions.respond import answer, bundle, entry
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import invalid
from slipring.fhir.search.criteria import parse
from slipring.fhir.store import reading

_CURSOR = "_cursor"
_DEFAULT_COUNT = 20
_MOST = 1000


async def search(kernel: Kernel, context: Context, resource_type: str, pairs: list[tuple[str, str]]) -> Response:
    """One page; the next link holds the whole query encrypted, because addresses end up in logs."""
    kernel.kept(resource_type)
    context.demand(resource_type, "s")
    after: list[Any] | None = None
    given = dict(pairs)
    if _CURSOR in given:
        resource_type, pairs, after = _opened(kernel, given[_CURSOR], resource_type)
    criteria = parse(resource_type, pairs, lenient=context.lenient, zone=kernel.zone)
    total: int | None = None
    found: list[reading.Row] = []
    size = _DEFAULT_COUNT if criteria.count is None else min(criteria.count, _MOST)
    if criteria.summary == "count":
        size = 0
    if size > 0:
        found = await reading.search(kernel.store.pool, criteria, source="", after=after, limit=size + 1)
    more = len(found) > size > 0
    found = found[:size]
    if criteria.total == "accurate" or size == 0:
        total = await reading.count(kernel.store.pool, criteria, source="")
    elif after is None and not more:
        total = len(found)
    audit = context.audit(
        "search",
        resource_type,
        disclosed=[row.reference for row in found],
        parameters=sorted({name for name, _ in pairs}),
    )
    await kernel.store.audits.write(audit, kernel.now())
    asked = urlencode(criteria.pairs if after is None else [(_CURSOR, given[_CURSOR])])
    links = {"self": f"{kernel.base}/{resource_type}" + (f"?{asked}" if asked else "")}
    if more:
        links["next"] = f"{kernel.base}/{resource_type}?{_CURSOR}={_sealed(kernel, resource_type, pairs, found[-1])}"
    entries = [entry(f"{kernel.base}/{row.reference}", row.text, search={"mode": "match"}) for row in found]
    return answer(bundle("searchset", entries, total=total, links=links))


def _sealed(kernel: Kernel, resource_type: str, pairs: list[tuple[str, str]], last: reading.Row) -> str:
    return kernel.cursors.encrypt(json.dumps([resource_type, pairs, list(last.sort)]).encode()).decode()


def _opened(kernel: Kernel, cursor: str, resource_type: str) -> tuple[str, list[tuple[str, str]], list[Any]]:
    try:
        kept, pairs, sort = json.loads(kernel.cursors.decrypt(cursor.encode()))
    except (InvalidToken, ValueError) as error:
        raise invalid("The page link is not one of ours.", "翻页链接无效。", at=_CURSOR) from error
    if kept != resource_type:
        raise invalid("The page link belongs to another type.", "翻页链接属于另一资源类型。", at=_CURSOR)
    return kept, [(name, value) for name, value in pairs], list(sort)
