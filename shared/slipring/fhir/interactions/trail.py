"""AuditEvent: read and searched, made from the audit rows when asked for, never written by a request.

Who asks needs the scope on AuditEvent by its name, `system/*` does not do; and what he was shown is itself audited.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from cryptography.fernet import InvalidToken
from starlette.responses import Response

from slipring.fhir.interactions.asked import ID, PRESENTATION, Asked, parameters
from slipring.fhir.interactions.negotiation import FORM, demand_content_type
from slipring.fhir.interactions.respond import answer, answer_tree, bundle, entry
from slipring.fhir.interactions.shown import shown
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, forbidden, invalid, not_found, refusal
from slipring.fhir.search.parameter import parameters_for
from slipring.fhir.service import Resource
from slipring.fhir.store import trail
from slipring.fhir.text import encode
from slipring.fhir.trail.asked import PARAMETERS, Wanted, wanted
from slipring.fhir.trail.event import Row, as_audit_event

KIND = "AuditEvent"
_CURSOR = "_cursor"
Pairs = list[tuple[str, str]]


def concerns(asked: Asked) -> bool:
    """Whether an address is about the audit trail."""
    return asked.steps[:1] == [KIND]


async def answered(kernel: Kernel, context: Context, asked: Asked) -> Response:
    """Read or search; everything else is refused with words."""
    match asked.steps:
        case [_] if asked.method == "GET":
            return await search(kernel, context, asked.query)
        case [_, "_search"] if asked.method == "POST":
            demand_content_type(asked.headers.get("content-type", ""), (FORM,))
            return await search(kernel, context, asked.query + parameters(asked.body))
        case [_, name] if asked.method == "GET" and ID.fullmatch(name) and not name.startswith("$"):
            asked.only()
            return await read(kernel, context, name)
    raise refusal(
        405,
        "not-supported",
        "The audit trail is written by the services themselves: AuditEvent is read and searched only.",
        "审计记录由系统自动写入：AuditEvent 只可读取与检索。",
        headers={"Allow": "GET, HEAD, OPTIONS"},
        detail="kernel.trail-read-only",
    )


def demand(context: Context, letter: str) -> None:
    """403 unless a scope names AuditEvent, whole."""
    if not any(grant.whole for grant in context.caller.grants(KIND, letter)):
        raise forbidden(
            f"The token lacks the scope system/{KIND}.{letter}; it must be granted by this name.",
            f"令牌缺少权限 system/{KIND}.{letter}；该权限须单独授予。",
            detail="kernel.trail-scope-missing",
        )


async def read(kernel: Kernel, context: Context, name: str) -> Response:
    """One row by its id."""
    demand(context, "r")
    asked = wanted([("_id", name)], kernel.service.name, kernel.service.letter, kernel.zone)
    found = await _events(kernel, asked, None, 1)
    if not found:
        raise not_found(f"{KIND}/{name}")
    await kernel.store.audits.write(context.audit("read", f"{KIND}/{name}"), kernel.now())
    return answer_tree(found[0][1])


async def search(kernel: Kernel, context: Context, pairs: Pairs) -> Response:
    """One page; the next link holds the query encrypted."""
    demand(context, "s")
    pairs = [pair for pair in pairs if pair[0] not in PRESENTATION]
    cursor = next((value for name, value in pairs if name == _CURSOR), None)
    after: tuple[datetime, int] | None = None
    if cursor is not None:
        if len(pairs) > 1:
            raise _foreign()
        pairs, after = _opened(kernel, cursor)
    asked = wanted(pairs, kernel.service.name, kernel.service.letter, kernel.zone)
    if kernel.noted and any(name == "patient" for name, _ in pairs):
        await kernel.noted()  # whom a row is about is noted when it is sealed
    size = 0 if asked.summary == "count" else asked.count
    found = await _events(kernel, asked, after, size + 1) if size else []
    page, more = found[:size], len(found) > size
    total = len(page) if after is None and size and not more and asked.total != "none" else None
    if total is None and (asked.total in ("accurate", "estimate") or not size):
        total = await trail.count(kernel.store.searches, asked.where(), asked.arguments)
    names = sorted({name for name, _ in pairs})
    given = [f"{KIND}/{tree['id']}" for _, tree in page]
    await kernel.store.audits.write(context.audit("search", KIND, disclosed=given, parameters=names), kernel.now())
    address = f"{kernel.base}/{KIND}"
    links = {"self": f"{address}?{urlencode(pairs)}" if pairs and cursor is None else address}
    if more:
        links["next"] = f"{address}?{_CURSOR}={_sealed(kernel, pairs, page[-1][0])}"
    return answer(bundle("searchset", _entries(kernel, asked, page), total=total, links=links))


def _entries(kernel: Kernel, asked: Wanted, page: Sequence[tuple[Row, Resource]]) -> list[str]:
    return [
        entry(
            f"{kernel.base}/{KIND}/{tree['id']}",
            shown(encode(tree), summary=asked.summary, elements=list(asked.elements)),
            search={"mode": "match"},
        )
        for _, tree in page
    ]


async def _events(
    kernel: Kernel, asked: Wanted, after: tuple[datetime, int] | None, limit: int
) -> list[tuple[Row, Resource]]:
    reader = kernel.store.searches
    rows = await trail.page(reader, asked.where(), asked.arguments, ascending=asked.ascending, after=after, limit=limit)
    about = await trail.patients(reader, [row["id"] for row in rows]) if rows else {}
    found = [Row(**dict(row.items()), patients=about.get(row["id"], ())) for row in rows]
    return [(row, as_audit_event(row, kernel.service.name, kernel.service.letter)) for row in found]


def capabilities() -> dict[str, Any]:
    """What the CapabilityStatement says of it."""
    return {
        "type": KIND,
        "documentation": "Made from the audit rows when asked for; needs the scope by its name, and is itself audited.",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "versioning": "no-version",
        "searchParam": [
            {"name": name, "definition": parameters_for(KIND)[name].url, "type": kind}
            | ({"documentation": told} if told else {})
            for name, (kind, told) in PARAMETERS.items()
        ],
    }


def _sealed(kernel: Kernel, pairs: Pairs, last: Row) -> str:
    return kernel.cursors.encrypt(json.dumps([KIND, pairs, last.at.isoformat(), last.id]).encode()).decode()


def _opened(kernel: Kernel, cursor: str) -> tuple[Pairs, tuple[datetime, int]]:
    try:
        kind, pairs, at, number = json.loads(kernel.cursors.decrypt(cursor.encode()))
    except (InvalidToken, ValueError):
        raise _foreign() from None
    if kind != KIND:
        raise _foreign()
    return [(name, value) for name, value in pairs], (datetime.fromisoformat(at), int(number))


def _foreign() -> FhirError:
    return invalid(
        "The page link is not one of ours.", "翻页链接无效。", at=_CURSOR, detail="kernel.page-link-not-ours"
    )
