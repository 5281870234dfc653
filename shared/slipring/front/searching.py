"""Searches and histories in which several services take part: ask all, answer one page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

import msgspec

from slipring.fhir.interactions.shown import shown
from slipring.fhir.outcome import invalid, refusal
from slipring.fhir.search.criteria import Sort, parse
from slipring.fhir.search.ordering import Key, sort_key
from slipring.front.bounds import Bounds
from slipring.front.crossing import INCLUDES, Pairs, crosses, includes_in
from slipring.front.exchange import Exchange
from slipring.front.including import Inclusion
from slipring.front.merging import Cursor, Page, Position, distinct, merge, opened, read_page
from slipring.front.owners import Owners
from slipring.front.peers import FHIR_JSON, Ask, RawObject, Reply, decoded, entry_at_front, exact
from slipring.front.resolving import FORM, Steps

CURSOR_PARAMETER = "_position"
_FORM = FORM["content-type"]
_MOST_PARAMETERS = 500
# What the front does to whole resources, and so does not ask of the keepers.
_CUTS = {"_summary": ("true", "text", "data")}
Kind = Literal["searchset", "history"]


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
        if len(keepers) == 1 and _is_plain(exchange):
            return await exchange.forward(keepers[0])
        asked = asked_of(exchange)
        if resumed := value_of(asked, CURSOR_PARAMETER):
            return await self._resumed(exchange, resumed, kept_type)
        if len(keepers) == 1 and not crosses(kept_type, asked, self.owners):
            return await exchange.forward(keepers[0])
        return await self._first(exchange, kept_type, asked)

    async def over(self, exchange: Exchange, path: str, services: tuple[str, ...], kind: Kind) -> Reply:
        """One page of what each of these services answers to the same request, such as a history.

        `path` is where the page links lead; a POST asks for `_search` there.
        """
        asked = asked_of(exchange)
        if resumed := value_of(asked, CURSOR_PARAMETER):
            return await self._resumed(exchange, resumed, path)
        form = exchange.method == "POST"
        pairs = [pair for pair in asked if pair[0] not in ("_count", "_pretty")]
        count = 0 if value_of(asked, "_summary") == "count" else self._count(asked)
        target = f"{path}/_search".strip("/") if form else path
        positions = _positions(services, target, [*pairs, ("_count", str(count))], form)
        sort = value_of(asked, "_sort") if kind == "searchset" else "-_lastModified"
        return await self._page(exchange, Cursor(kind, path, "Resource", sort, count, None, positions), first=True)

    async def _resumed(self, exchange: Exchange, text: str, path: str) -> Reply:
        return await self._page(exchange, opened(text, self.cursor_key, path), first=False)

    async def _first(self, exchange: Exchange, kept_type: str, asked: Pairs) -> Reply:
        includes = [pair for pair in asked if pair[0] in INCLUDES]
        includes_in(kept_type, includes, self.owners)
        sort = ",".join(text for name, text in asked if name == "_sort")
        count = 0 if value_of(asked, "_summary") == "count" else self._count(asked)
        kept = [pair for pair in asked if not _is_for_the_front(*pair)]
        steps = Steps(exchange, self.owners, self.bounds, self.zone)
        pairs = await steps.rewritten(kept_type, kept)
        form = exchange.method == "POST" or pairs != kept
        if value_of(asked, "_summary") != "count":
            # Each keeper gives pages as large as ours; no larger than what may have to be read again.
            pairs.append(("_count", str(count)))
        path = f"{kept_type}/_search" if form else kept_type
        positions = _positions(self.owners.keepers_of(kept_type), path, pairs, form)
        summary = next((text for name, text in asked if name == "_summary" and _is_for_the_front(name, text)), "")
        elements = [item for name, text in asked if name == "_elements" for item in text.split(",") if item]
        cursor = Cursor("searchset", kept_type, kept_type, sort, count, None, positions, includes, summary, elements)
        return await self._page(exchange, cursor, first=True)

    def _count(self, asked: Pairs) -> int:
        text = value_of(asked, "_count")
        if not text:
            return self.bounds.default_count
        if not text.isascii() or not text.isdigit():
            raise invalid("_count is not a whole number.", "_count 不是整数。", at="http._count")
        return min(int(text[:9]), self.bounds.largest_count)

    async def _page(self, exchange: Exchange, cursor: Cursor, *, first: bool) -> Reply:
        unknown: list[Reply] = []
        key_of, descending = self._order(exchange, cursor)

        async def fetch(position: Position) -> Page:
            headers = {name: value for name, value in exchange.headers.items() if name != "content-type"}
            if position.method == "POST":
                headers |= FORM
            ask = Ask(position.method, position.target or "", headers, position.body.encode())
            reply = await exchange.peers.ask(position.service, ask)
            if reply.status == 404:  # a keeper in the table that does not keep the type yet has nothing to give
                unknown.append(reply)
                return Page([], [], None, 0)
            return read_page(reply, key_of)

        merged = await merge(cursor, fetch, descending, first=first)
        if first and len(unknown) == len(cursor.positions):
            return unknown[0]
        includes = includes_in(cursor.type, cursor.includes, self.owners)
        inclusion = Inclusion(exchange, self.owners, self.bounds, self.zone)
        others = distinct([*merged.others, *await inclusion.around(merged.matches, includes)])
        matches = [_in_part(entry, cursor) for entry in merged.matches]
        bundle: dict[str, Any] = {"resourceType": "Bundle", "type": cursor.kind}
        if merged.total is not None and cursor.kind == "searchset":
            bundle["total"] = merged.total
        left = [position for position in merged.positions if position.target is not None]
        following = msgspec.structs.replace(cursor, total=merged.total, positions=left)
        bundle["link"] = self._links(exchange, following)
        if entries := [entry_at_front(entry, exchange.base) for entry in [*matches, *others]]:
            bundle["entry"] = entries
        return Reply(200, {"content-type": FHIR_JSON, "x-request-id": exchange.request_id}, msgspec.json.encode(bundle))

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

    def _links(self, exchange: Exchange, following: Cursor) -> list[dict[str, str]]:
        # What was searched by POST _search stays out of addresses.
        itself = exchange.target if exchange.method != "POST" else following.path
        links = [{"relation": "self", "url": f"{exchange.base}/{itself}".rstrip("/")}]
        if following.positions and following.count:
            address = f"{exchange.base}/{following.path}".rstrip("/")
            links.append(
                {"relation": "next", "url": f"{address}?{CURSOR_PARAMETER}={following.sealed(self.cursor_key)}"}
            )
        return links


def asked_of(exchange: Exchange) -> Pairs:
    """The decoded parameters of address and form, which must be UTF-8."""
    form = b""
    if exchange.method == "POST":
        if exchange.headers.get("content-type", _FORM).partition(";")[0].strip().lower() != _FORM:
            raise refusal(
                415,
                "not-supported",
                f"_search takes a form: Content-Type must be {_FORM}.",
                f"_search 只接受表单：Content-Type 须为 {_FORM}。",
            )
        form = exchange.body
    try:
        return [
            pair
            for text in (exchange.query.encode("latin-1").decode("ascii"), form.decode("ascii"))
            for pair in parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS)
        ]
    except ValueError as error:
        raise invalid(
            f"The parameters are not percent-encoded UTF-8, or more than {_MOST_PARAMETERS}.",
            f"参数不是百分号编码的 UTF-8，或多于 {_MOST_PARAMETERS} 个。",
        ) from error


def value_of(pairs: Pairs, name: str) -> str:
    """The first value of a parameter, '' when it is not given."""
    return next((value for key, value in pairs if key == name), "")


def _is_plain(exchange: Exchange) -> bool:
    """Whether nothing in the request can need the front; a glance that decides most searches without parsing them."""
    text = exchange.query if exchange.method != "POST" else f"{exchange.query}&{exchange.body.decode('latin-1')}"
    return not any(mark in text for mark in (".", "%2E", "%2e", "_has", "include", CURSOR_PARAMETER, "%"))


def _is_for_the_front(name: str, text: str) -> bool:
    return name in INCLUDES or name in ("_elements", "_count", "_pretty") or text in _CUTS.get(name, ())


def _positions(services: tuple[str, ...], path: str, pairs: Pairs, form: bool) -> list[Position]:
    query = urlencode(pairs)
    if form:
        return [Position(service, path, "POST", query) for service in services]
    return [Position(service, f"{path}?{query}" if query else path) for service in services]


def _in_part(entry: RawObject, cursor: Cursor) -> RawObject:
    """A match as `_summary` and `_elements` want it; what it is sorted and included by was read from the whole."""
    if not cursor.summary and not cursor.elements:
        return entry
    text = shown(bytes(entry["resource"]).decode(), summary=cursor.summary, elements=cursor.elements)
    return {**entry, "resource": msgspec.Raw(text.encode())}


def _last_modified(entry: RawObject) -> Key:
    tree: Any = decoded(entry["response"]) if "response" in entry else {}
    try:
        return (datetime.fromisoformat(tree["lastModified"]),)
    except (KeyError, ValueError):
        return (None,)
