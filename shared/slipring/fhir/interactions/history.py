"""history of a resource, a type or the whole service, newest first (FHIR R4 http 3.1.0.10)."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from cryptography.fernet import InvalidToken
from starlette.responses import Response

from slipring.fhir.access import reaches
from slipring.fhir.intent import written_instant
from slipring.fhir.interactions.asked import PRESENTATION
from slipring.fhir.interactions.respond import answer, bundle, entry
from slipring.fhir.interactions.shown import shown
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.outcome import FhirError, invalid, not_found
from slipring.fhir.search.moment import END, interval
from slipring.fhir.sight import visible
from slipring.fhir.store import history as stored
from slipring.fhir.store import reading
from slipring.fhir.store.history import Span
from slipring.fhir.store.reading import Row

_CURSOR = "_cursor"
_KNOWN = ("_count", "_since", "_at", "_summary", "_elements")
_SUMMARIES = ("", "true", "text", "data", "count", "false")
_DEFAULT_COUNT = 100
_MOST = 1000
Pairs = list[tuple[str, str]]
_Found = tuple[list[tuple[int, Row]], int | None, bool]  # rows, total, whether more follow


@dataclass(slots=True)
class _Asked:
    """One page as it was asked for."""

    place: str  # "Type/id", "Type" or ""
    pairs: Pairs
    span: Span
    count: int
    summary: str
    elements: list[str]
    below: int | None  # the sequence number that this page goes on from


async def history(
    kernel: Kernel, context: Context, resource_type: str | None, resource_id: str | None, pairs: Pairs
) -> Response:
    """One page; the next link goes on where this one ended, encrypted, and all pages together are exact."""
    if resource_type:
        kernel.kept(resource_type)
    context.demand(resource_type or "*", "r" if resource_id else "s")
    asked = _asked(kernel, context, resource_type, resource_id, pairs)
    page, total, more = await (_judged if context.caller.bounded else _page)(kernel, context, asked)
    if resource_id and not page and asked.below is None and not await _is_kept(kernel, context, asked):
        raise not_found(asked.place)
    disclosed = [f"{row.reference}/_history/{row.version}" for _, row in page]
    names = sorted({name for name, _ in asked.pairs})
    audit = context.audit("history", asked.place or "*", disclosed=disclosed, parameters=names)
    await kernel.store.audits.write(audit, kernel.now())
    address = f"{kernel.base}/{asked.place}/_history" if asked.place else f"{kernel.base}/_history"
    own = [(name, value) for name, value in pairs if name not in PRESENTATION]
    links = {"self": f"{address}?{urlencode(own)}" if own else address}
    if more:
        links["next"] = f"{address}?{_CURSOR}={_sealed(kernel, asked, page[-1][0])}"
    entries = [_entry(kernel, asked, row) for _, row in page]
    return answer(bundle("history", entries, total=total, links=links))


async def _page(kernel: Kernel, context: Context, asked: _Asked) -> _Found:
    """Rows, total and whether more follow; the total is told when it is cheap: of one resource, or of one page."""
    reader = kernel.store.pool
    if asked.count == 0 or asked.summary == "count":
        return [], await stored.count(reader, asked.span), False
    below = asked.below
    if below is None:  # versions of one resource come one after the other, so only the others have to settle
        below = (await stored.settled(reader) if asked.span.id is None else 2**62) + 1
    found = await stored.page(reader, asked.span, below=below, limit=asked.count + 1)
    page, more = found[: asked.count], len(found) > asked.count
    if asked.below is None and not more:
        return page, len(page), False
    return page, await stored.count(reader, asked.span) if asked.span.id else None, more


async def _judged(kernel: Kernel, context: Context, asked: _Asked) -> _Found:
    """The same for a limited token: each version is judged by its own text, and by what stands today.

    Search rows tell of what stands only, so the versions of the span are read one after the other until a page is full.
    """
    reader, counting = kernel.store.pool, asked.count == 0 or asked.summary == "count"
    below = asked.below
    if below is None:
        below = (await stored.settled(reader) if asked.span.id is None else 2**62) + 1
    letter = "r" if asked.span.id else "s"
    taken: list[tuple[int, Row]] = []
    number, wanted = 0, asked.count + 1
    standing: dict[int, bool] = {}
    while counting or len(taken) < wanted:
        found = await stored.page(reader, asked.span, below=below, limit=_MOST)
        for at, row in found:
            if row.key not in standing:
                now = await reading.current(reader, row.type, row.id)
                standing[row.key] = now is not None and reaches(
                    context.caller, letter, now.stored().resource, kernel.zone
                )
            if standing[row.key] and visible(kernel, context, row, letter):
                number += 1
                if not counting and len(taken) < wanted:
                    taken.append((at, row))
        if len(found) < _MOST:
            break
        below = found[-1][0]
    if counting:
        return [], number, False
    more = len(taken) > asked.count
    return taken[: asked.count], None if more or asked.below is not None else len(taken), more


async def _is_kept(kernel: Kernel, context: Context, asked: _Asked) -> bool:
    """Whether the resource has any version at all for the caller, inside the span asked for or not."""
    span = Span(asked.span.type, asked.span.id, audiences=asked.span.audiences)
    if context.caller.bounded:
        _, number, _ = await _judged(kernel, context, replace(asked, span=span, count=0))
        return bool(number)
    return await stored.count(kernel.store.pool, span) > 0


def _entry(kernel: Kernel, asked: _Asked, row: Row) -> str:
    status = {"POST": "201", "PUT": "200", "DELETE": "204"}[row.method]
    text = None if row.method == "DELETE" else shown(row.text, summary=asked.summary, elements=asked.elements)
    return entry(
        f"{kernel.base}/{row.reference}",
        text,
        request={"method": row.method, "url": row.type if row.method == "POST" else row.reference},
        response={"status": status, "etag": f'W/"{row.version}"', "lastModified": written_instant(row.updated_at)},
    )


def _asked(
    kernel: Kernel, context: Context, resource_type: str | None, resource_id: str | None, pairs: Pairs
) -> _Asked:
    place = "/".join(part for part in (resource_type, resource_id) if part)
    own = [(name, value) for name, value in pairs if name not in PRESENTATION]
    below = None
    if any(name == _CURSOR for name, _ in own):
        if len(own) > 1:
            raise invalid(
                "A page link stands alone.",
                "翻页链接不能与其他参数同用。",
                at=_CURSOR,
                detail="kernel.page-link-stands-alone",
            )
        own, below = _opened(kernel, own[0][1], place)
    given: dict[str, str] = {}
    for name, value in own:
        if name not in _KNOWN or name in given:
            known = ", ".join(_KNOWN)
            raise invalid(
                f"history takes each once: {known}; not {name[:64]}.",
                f"history 参数各用一次：{known}；{name[:64]} 不可。",
                at=name[:64],
                detail="kernel.unknown-history-parameter",
            )
        given[name] = value
    if given.get("_summary", "") not in _SUMMARIES:
        raise invalid(
            "_summary must be true, text, data, count or false.",
            "_summary 取值有误。",
            at="_summary",
            detail="kernel.summary-unknown",
        )
    low, high = _at(kernel, given["_at"]) if "_at" in given else (None, None)
    since = _since(given["_since"]) if "_since" in given else None
    return _Asked(
        place,
        own,
        Span(resource_type, resource_id, since, low, high, context.caller.audiences),
        min(_whole(given.get("_count", str(_DEFAULT_COUNT)), "_count"), _MOST),
        given.get("_summary", ""),
        [name for name in given.get("_elements", "").split(",") if name],
        below,
    )


def _sealed(kernel: Kernel, asked: _Asked, last: int) -> str:
    return kernel.cursors.encrypt(json.dumps(["history", asked.place, asked.pairs, last]).encode()).decode()


def _opened(kernel: Kernel, cursor: str, place: str) -> tuple[Pairs, int]:
    wrong = invalid(
        "The page link is not one of ours.", "翻页链接无效。", at=_CURSOR, detail="kernel.page-link-not-ours"
    )
    try:
        opened: Any = json.loads(kernel.cursors.decrypt(cursor.encode()))
    except (InvalidToken, ValueError):
        raise wrong from None
    if opened[:2] != ["history", place]:
        raise wrong
    return [(name, value) for name, value in opened[2]], int(opened[3])


def _whole(text: str, name: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 18):
        raise invalid(
            f"{name} must be a whole number.", f"{name} 必须是整数。", at=name, detail="kernel.not-a-whole-number"
        )
    return int(text)


def _since(text: str) -> datetime:
    """An instant: FHIR wants it with its time zone."""
    text = text.replace(" ", "+")
    try:
        moment = datetime.fromisoformat(text) if interval(text) else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _bad(
        "_since must be an instant with a time zone.", "_since 必须是带时区的时刻。", "_since", "kernel.since-instant"
    )


def _at(kernel: Kernel, text: str) -> tuple[datetime, datetime]:
    """A moment or a period: a year, month or day is one of the department's zone."""
    found = interval(text.replace(" ", "+"), kernel.zone)
    if found is None:
        raise _bad(
            "_at must be a date or a time, without a prefix.",
            "_at 必须是日期或时刻，不带前缀。",
            "_at",
            "kernel.at-date",
        )
    return found.low, min(found.high, END)


def _bad(en: str, zh: str, at: str, detail: str) -> FhirError:
    return invalid(en, zh, at=at, detail=detail)
