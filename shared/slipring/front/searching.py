"""Searches and histories in which several services take part: ask all, answer one page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import urlencode

import msgspec

from slipring.fhir.definitions.compartment import patient_compartment
from slipring.fhir.interactions.shown import shown
from slipring.fhir.outcome import as_operation_outcome, invalid
from slipring.fhir.search import wording
from slipring.fhir.search.criteria import CONTROLS, Criteria, Sort, parse
from slipring.fhir.search.include import INCLUDES, Include, include
from slipring.fhir.search.ordering import Key, sort_key
from slipring.front.asking import CURSOR_PARAMETER, asked_of, positions_of, value_of
from slipring.front.bounds import Bounds
from slipring.front.crossing import Pairs, check_includes, crosses, may_cross
from slipring.front.exchange import Exchange
from slipring.front.including import Inclusion
from slipring.front.merging import Cursor, Kind, Merged, Page, Position, distinct, merge, opened, read_page
from slipring.front.owners import Owners
from slipring.front.peers import FHIR_JSON, Ask, RawObject, Reply, decoded, entry_at_front, exact, raw
from slipring.front.resolving import FORM, Steps

# What the front does to whole resources, and so does not ask of the keepers.
_OUR_CONTROLS = ("_elements", "_count", "_format", "_pretty")
_CUTS = ("true", "text", "data")
_KEEPERS_CURSOR = "_cursor"


@dataclass(frozen=True, slots=True)
class Searches:
    """Answers searches that the front takes part in."""

    owners: Owners
    cursor_key: bytes
    bounds: Bounds
    zone: tzinfo = UTC

    async def search(self, exchange: Exchange, kept_type: str) -> Reply:
        """A search on one type: passed on when its keeper can answer it alone."""
        keepers = self.owners.keepers_of(kept_type)
        text = exchange.query if exchange.method != "POST" else f"{exchange.query}&{exchange.body.decode('latin-1')}"
        if len(keepers) == 1 and CURSOR_PARAMETER not in text and not may_cross(text):
            return await exchange.forward(keepers[0])
        asked = asked_of(exchange)
        if resumed := value_of(asked, CURSOR_PARAMETER):
            return await self._resumed(exchange, resumed, kept_type)
        if len(keepers) == 1 and value_of(asked, _KEEPERS_CURSOR):
            return await exchange.forward(keepers[0])
        lenient = "handling=lenient" in exchange.headers.get("prefer", "")
        criteria = parse(kept_type, asked, lenient=lenient, zone=self.zone, types=self.owners.types)
        if len(keepers) == 1 and not crosses(criteria, self.owners):
            return await exchange.forward(keepers[0])
        return await self._first(exchange, criteria)

    async def over(self, exchange: Exchange, path: str, services: tuple[str, ...], kind: Kind) -> Reply:
        """One page of what each of these services answers to the same request, such as a history.

        `path` is where the page links lead; a POST asks for `_search` there.
        """
        asked = asked_of(exchange)
        if resumed := value_of(asked, CURSOR_PARAMETER):
            return await self._resumed(exchange, resumed, path)
        form = exchange.method == "POST"
        pairs = [pair for pair in asked if pair[0] not in ("_count", "_pretty")]
        default = self.bounds.everything_count if kind == "everything" else self.bounds.default_count
        count = 0 if value_of(asked, "_summary") == "count" else self._count(asked, default)
        target = f"{path}/_search".strip("/") if form else path
        positions = positions_of(services, target, [*pairs, ("_count", str(count))], form)
        sort = value_of(asked, "_sort") if kind == "searchset" else ""
        return await self._page(exchange, Cursor(kind, path, "Resource", sort, count, None, positions), first=True)

    async def _resumed(self, exchange: Exchange, text: str, path: str) -> Reply:
        return await self._page(exchange, opened(text, self.cursor_key, path), first=False)

    async def _first(self, exchange: Exchange, criteria: Criteria) -> Reply:
        """The first page of a search that was read here, so that what it ignores is known here as well."""
        bounds, kept_type = self.bounds, criteria.type
        check_includes(criteria.includes, self.owners)
        count = min(bounds.default_count if criteria.count is None else criteria.count, bounds.largest_count)
        kept = [pair for pair in criteria.pairs if not _is_for_the_front(*pair)]
        pairs = await Steps(exchange, self.owners, bounds, self.zone).rewritten(kept_type, kept)
        form = exchange.method == "POST" or pairs != kept
        if criteria.summary == "count":
            count = 0
        else:
            # Each keeper gives pages as large as ours; no larger than what may have to be read again.
            pairs.append(("_count", str(count)))
        path = f"{kept_type}/_search" if form else kept_type
        cursor = Cursor(
            "searchset",
            kept_type,
            kept_type,
            sort=",".join(text for name, text in criteria.pairs if name == "_sort"),
            count=count,
            total=None,
            positions=positions_of(self.owners.keepers_of(kept_type), path, pairs, form),
            includes=[pair for pair in criteria.pairs if pair[0] in INCLUDES],
            summary="" if criteria.summary in ("count", "false") else criteria.summary,
            elements=list(criteria.elements),
        )
        return await self._page(exchange, cursor, first=True, read=criteria)

    def _count(self, asked: Pairs, default: int) -> int:
        text = value_of(asked, "_count")
        if not text:
            return default
        if not text.isascii() or not text.isdigit():
            raise invalid(
                "_count is not a whole number.",
                "_count 不是整数。",
                at="http._count",
                detail="front.count-not-whole-number",
            )
        return min(int(text[:9]), self.bounds.largest_count)

    async def _page(self, exchange: Exchange, cursor: Cursor, *, first: bool, read: Criteria | None = None) -> Reply:
        unknown: list[Reply] = []
        key_of, descending = self._order(exchange, cursor)

        async def fetch(position: Position) -> Page:
            headers = {name: value for name, value in exchange.headers.items() if name != "content-type"}
            if position.method == "POST":
                headers |= FORM
            ask = Ask(position.method, position.target or "", headers, position.body.encode())
            reply = await exchange.peers.ask(position.service, ask)
            if (
                reply.status == 404 and cursor.kind != "everything"
            ):  # a keeper in the table that does not keep the type yet has nothing to give
                unknown.append(reply)
                return Page([], [], None, 0)
            return read_page(reply, key_of)

        merged = await merge(cursor, fetch, descending, first=first)
        if first and len(unknown) == len(cursor.positions):
            return unknown[0]
        added = [_in_part(entry, cursor.summary) for entry in await self._added(exchange, cursor, merged)]
        others = distinct([*merged.others, *added, *_left_out(exchange, read)])
        matches = [_in_part(entry, cursor.summary, cursor.elements) for entry in merged.matches]
        kind = "history" if cursor.kind == "history" else "searchset"
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": kind}
        if merged.total is not None and kind == "searchset":
            bundle["total"] = merged.total
        left = [position for position in merged.positions if position.target is not None]
        following = msgspec.structs.replace(cursor, total=merged.total, positions=left)
        bundle["link"] = self._links(exchange, following, read)
        if entries := [entry_at_front(entry, exchange.base) for entry in [*matches, *others]]:
            bundle["entry"] = entries
        return Reply(200, {"content-type": FHIR_JSON, "x-request-id": exchange.request_id}, msgspec.json.encode(bundle))

    async def _added(self, exchange: Exchange, cursor: Cursor, merged: Merged) -> list[RawObject]:
        """What the front adds to a page: the includes that were asked for.

        To everything about a patient: what lies outside of his compartment (practitioners, organizations, places) and
        is referred to, as far as the caller may see it.
        """
        inclusion = Inclusion(exchange, self.owners, self.bounds, self.zone)
        if cursor.kind != "everything":
            return await inclusion.around(merged.matches, [include(cursor.type, *pair) for pair in cursor.includes])
        inclusion.forgiving = True
        inclusion.only = frozenset(kept for kept in self.owners.types if not patient_compartment().get(kept))
        inclusion.know(merged.others)
        kinds = {str(exact(entry["resource"])["resourceType"]) for entry in merged.matches}
        return await inclusion.around(merged.matches, [Include(False, False, kind, "*") for kind in sorted(kinds)])

    def _order(self, exchange: Exchange, cursor: Cursor) -> tuple[Callable[[RawObject], Key], list[bool]]:
        """How matches are compared: histories newest first, searches by their sort rules."""
        if cursor.kind == "history":
            return _last_modified, [True]
        lenient = "handling=lenient" in exchange.headers.get("prefer", "")
        pairs = [("_sort", cursor.sort)] if cursor.sort else []
        rules: tuple[Sort, ...] = parse(cursor.type, pairs, lenient=lenient).sort

        def key_of(entry: RawObject) -> Key:
            return sort_key(rules, exact(entry["resource"]), self.zone) if rules else ()

        return key_of, [rule.descending for rule in rules]

    def _links(self, exchange: Exchange, following: Cursor, read: Criteria | None) -> list[dict[str, str]]:
        address = f"{exchange.base}/{following.path}".rstrip("/")
        itself = f"{exchange.base}/{exchange.target}".rstrip("/")
        if read is not None:  # what was understood; the values of a POST stay out of addresses
            hidden = exchange.method == "POST"
            told = [(name, "" if hidden and name not in CONTROLS else text) for name, text in read.pairs]
            itself = f"{address}{'/_search' if hidden else ''}" + (f"?{urlencode(told)}" if told else "")
        links = [{"relation": "self", "url": itself}]
        if following.positions and following.count:
            sealed = following.sealed(self.cursor_key)
            links.append({"relation": "next", "url": f"{address}?{CURSOR_PARAMETER}={sealed}"})
        return links


def _is_for_the_front(name: str, text: str) -> bool:
    return name in INCLUDES or name in _OUR_CONTROLS or (name == "_summary" and text in _CUTS)


def _in_part(entry: RawObject, summary: str, elements: Sequence[str] = ()) -> RawObject:
    """A resource as `_summary` and `_elements` want it; what it is sorted and included by was read from the whole."""
    if not summary and not elements:
        return entry
    text = shown(bytes(entry["resource"]).decode(), summary=summary, elements=elements)
    return {**entry, "resource": msgspec.Raw(text.encode())}


def _left_out(exchange: Exchange, read: Criteria | None) -> list[RawObject]:
    """What a lenient search ignored, told beside the matches."""
    if read is None or not read.ignored:
        return []
    language = exchange.headers.get("accept-language", "zh-CN")
    outcome = as_operation_outcome([wording.ignored(read.ignored)], language)
    return [{"resource": raw(outcome), "search": raw({"mode": "outcome"})}]


def _last_modified(entry: RawObject) -> Key:
    tree: Any = decoded(entry["response"]) if "response" in entry else {}
    try:
        return (datetime.fromisoformat(tree["lastModified"]),)
    except (KeyError, ValueError):
        return (None,)
