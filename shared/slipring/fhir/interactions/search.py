"""search: strict criteria, keyset pages behind encrypted cursors, one audit row that lists what was disclosed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from cryptography.fernet import InvalidToken
from starlette.responses import Response

from slipring.fhir.interactions.including import checked, included
from slipring.fhir.interactions.respond import answer, bundle, entry
from slipring.fhir.interactions.shown import shown
from slipring.fhir.interactions.subscription import lanes_shown
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.merged import of_all_records
from slipring.fhir.outcome import as_operation_outcome, invalid
from slipring.fhir.search import wording
from slipring.fhir.search.condition import types_looked_into
from slipring.fhir.search.criteria import CONTROLS, Criteria, parse
from slipring.fhir.sight import asked
from slipring.fhir.store import reading
from slipring.fhir.text import encode

_CURSOR = "_cursor"
_DEFAULT_COUNT = 20
_MOST = 1000
Pairs = list[tuple[str, str]]


@dataclass(slots=True)
class _Page:
    """What one page answers."""

    matches: list[reading.Row]
    others: list[reading.Row]
    total: int | None
    more: bool
    states: Mapping[str, str] = field(default_factory=dict)  # of Subscriptions: their texts as they are shown


async def search(
    kernel: Kernel, context: Context, resource_type: str, pairs: Pairs, *, posted: bool = False
) -> Response:
    """One page; the next link holds the whole query encrypted, because addresses end up in logs."""
    kernel.kept(resource_type)
    context.demand(resource_type, "s")
    after: list[Any] | None = None
    cursor = next((value for name, value in pairs if name == _CURSOR), None)
    if cursor is not None:
        if len(pairs) > 1:
            raise invalid(
                "A page link stands alone.",
                "翻页链接不能与其他参数同用。",
                at=_CURSOR,
                detail="kernel.page-link-stands-alone",
            )
        pairs, after = _opened(kernel, cursor, resource_type)
    criteria = parse(resource_type, pairs, lenient=context.lenient, zone=kernel.zone, types=kernel.held)
    for other in sorted({*types_looked_into(criteria.clauses)}):
        context.demand(other, "s")
    checked(kernel, context, criteria.includes)
    desk = kernel.desk(context.caller, kernel.store.searches)
    wanted = await of_all_records(criteria, desk) if "Patient" in kernel.held else criteria
    page = await _page(kernel, context, asked(kernel, context, wanted), after)
    audit = context.audit(
        "search",
        resource_type,
        disclosed=[row.reference for row in (*page.matches, *page.others)],
        parameters=sorted({name for name, _ in pairs}),
    )
    await kernel.store.audits.write(audit, kernel.now())
    links = {"self": _itself(kernel, criteria, cursor, posted=posted)}
    if page.more:
        sealed = _sealed(kernel, resource_type, pairs, page.matches[-1])
        links["next"] = f"{kernel.base}/{resource_type}?{_CURSOR}={sealed}"
    return answer(bundle("searchset", _entries(kernel, context, criteria, page), total=page.total, links=links))


async def _page(kernel: Kernel, context: Context, criteria: Criteria, after: list[Any] | None) -> _Page:
    reader = kernel.store.searches
    size = _DEFAULT_COUNT if criteria.count is None else min(criteria.count, _MOST)
    if criteria.summary == "count" or size == 0:
        return _Page([], [], await reading.count(reader, criteria, source=""), more=False)
    found = await reading.search(reader, criteria, source="", after=after, limit=size + 1)
    matches, more = found[:size], len(found) > size
    total = len(matches) if after is None and not more and criteria.total != "none" else None
    if total is None and criteria.total in ("accurate", "estimate"):
        total = await reading.count(reader, criteria, source="")
    follows = criteria.includes and matches
    others = await included(kernel, context, reader, matches, criteria.includes) if follows else []
    states = await lanes_shown(reader, matches) if criteria.type == "Subscription" else {}
    return _Page(matches, others, total, more, states)


def _entries(kernel: Kernel, context: Context, criteria: Criteria, page: _Page) -> list[str]:
    """Matches with the elements asked for, what is included with them, and what a lenient search left out."""
    written = []
    for row in page.matches:
        text = shown(page.states.get(row.id, row.text), summary=criteria.summary, elements=criteria.elements)
        written.append(entry(f"{kernel.base}/{row.reference}", text, search={"mode": "match"}))
    for row in page.others:
        text = shown(row.text, summary=criteria.summary)
        written.append(entry(f"{kernel.base}/{row.reference}", text, search={"mode": "include"}))
    if criteria.ignored:
        outcome = encode(as_operation_outcome([wording.ignored(criteria.ignored)], context.language))
        written.append(entry(None, outcome, search={"mode": "outcome"}))
    return written


def _itself(kernel: Kernel, criteria: Criteria, cursor: str | None, *, posted: bool) -> str:
    """What was understood; the values of a POST stay out of it, because they were kept out of the address."""
    if cursor is not None:
        return f"{kernel.base}/{criteria.type}?{_CURSOR}={cursor}"
    told = [(name, "" if posted and name not in CONTROLS else value) for name, value in criteria.pairs]
    path = f"{criteria.type}/_search" if posted else criteria.type
    return f"{kernel.base}/{path}" + (f"?{urlencode(told)}" if told else "")


def _sealed(kernel: Kernel, resource_type: str, pairs: Pairs, last: reading.Row) -> str:
    return kernel.cursors.encrypt(json.dumps([resource_type, pairs, list(last.sort)]).encode()).decode()


def _opened(kernel: Kernel, cursor: str, resource_type: str) -> tuple[Pairs, list[Any]]:
    try:
        kept, pairs, sort = json.loads(kernel.cursors.decrypt(cursor.encode()))
    except (InvalidToken, ValueError) as error:
        raise invalid(
            "The page link is not one of ours.", "翻页链接无效。", at=_CURSOR, detail="kernel.page-link-not-ours"
        ) from error
    if kept != resource_type:
        raise invalid(
            "The page link belongs to another type.",
            "翻页链接属于另一资源类型。",
            at=_CURSOR,
            detail="kernel.page-link-belongs-another-type",
        )
    return [(name, value) for name, value in pairs], list(sort)
