"""What the services say about themselves, as one: definitions made from declarations, the same one told once.

Each service answers about what it keeps, to whom may ask. A definition is read from the first that has it; a search asks
all of them and takes each id once. Search parameters and the patient's compartment name types: here those of all services.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import cache
from typing import Any
from urllib.parse import urlencode

import msgspec
from cryptography.fernet import Fernet, InvalidToken

from slipring.fhir.definitions.catalogue import TYPES
from slipring.fhir.definitions.compartment import patient_compartment_definition
from slipring.fhir.definitions.searching import search_parameters
from slipring.fhir.interactions.shown import shown
from slipring.fhir.outcome import invalid
from slipring.fhir.search.criteria import Criteria, parse
from slipring.fhir.search.ordering import comes_before, sort_key
from slipring.front.asking import CURSOR_PARAMETER, asked_of, value_of
from slipring.front.bounds import Bounds
from slipring.front.crossing import Pairs
from slipring.front.exchange import Exchange
from slipring.front.merging import KeeperRefused
from slipring.front.owners import Owners
from slipring.front.peers import FHIR_JSON, RawObject, Reply, below_base, decoded, raw, raw_bundle

Tree = dict[str, Any]
_WHOLE_PAGE = 1000
_OURS = ("_count", "_sort", "_summary", "_elements", "_format", "_pretty", "_total")


class _Place(msgspec.Struct):
    """What the next page needs."""

    type: str
    pairs: list[tuple[str, str]]
    after: int


def is_definition(resource_type: str, owners: Owners) -> bool:
    """Whether a type is answered from declarations, and not kept by anybody."""
    return resource_type in TYPES and not owners.keepers_of(resource_type)


@dataclass(frozen=True, slots=True)
class Definitions:
    """Answers requests for definitions."""

    owners: Owners
    cursor_key: bytes
    bounds: Bounds
    zone: tzinfo

    async def answer(self, exchange: Exchange) -> Reply:
        """A read, a search, an operation; a write is for the services to refuse."""
        match exchange.parts:
            case [kind] if exchange.method in ("GET", "HEAD"):
                return await self._search(exchange, kind)
            case [kind, "_search"] if exchange.method == "POST":
                return await self._search(exchange, kind)
        reply = await self._first(exchange)
        if reply.status == 200 and exchange.parts[-1] in (ours := self._ours(exchange.parts[0])):
            return Reply(200, reply.headers, msgspec.json.encode(ours[exchange.parts[-1]]))
        return reply

    def _ours(self, kind: str) -> Mapping[str, Tree]:
        return _of_all_types(tuple(self.owners.types)).get(kind, {})

    async def _first(self, exchange: Exchange) -> Reply:
        """The answer of the first service that knows it."""
        reply = Reply(404, {})
        for service in reversed(self.owners.services):
            found = await exchange.forward(service)
            if found.status != 404:
                return found
            reply = found
        return reply

    # --- searches -------------------------------------------------------------------------------------------

    async def _search(self, exchange: Exchange, kind: str) -> Reply:
        pairs, after = asked_of(exchange), 0
        if resumed := value_of(pairs, CURSOR_PARAMETER):
            pairs, after = self._opened(resumed, kind)
        lenient = "handling=lenient" in exchange.headers.get("prefer", "")
        criteria = parse(kind, pairs, lenient=lenient, zone=self.zone)
        plain = [pair for pair in criteria.pairs if pair[0] not in _OURS]
        answers = await asyncio.gather(*(self._all_of(exchange, name, kind, plain) for name in self.owners.services))
        by_id = {tree["id"]: tree for trees in answers for tree in trees}
        ours = self._ours(kind)
        found = self._ordered([ours.get(name, tree) for name, tree in by_id.items()], criteria)
        count = self.bounds.default_count if criteria.count is None else criteria.count
        count = 0 if criteria.summary == "count" else min(count, self.bounds.largest_count)
        page = found[after : after + count]
        more = bool(count) and len(found) > after + count
        bundle: Tree = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
        bundle["link"] = self._links(exchange, criteria, pairs, after + count if more else None)
        if page:
            bundle["entry"] = [_entry(exchange, tree, criteria) for tree in page]
        return Reply(200, {"content-type": FHIR_JSON, "x-request-id": exchange.request_id}, msgspec.json.encode(bundle))

    async def _all_of(self, exchange: Exchange, service: str, kind: str, pairs: Pairs) -> list[Tree]:
        """Everything of a service that meets the criteria, page after page."""
        form = urlencode([*pairs, ("_count", str(_WHOLE_PAGE))]).encode()
        kinds = {"content-type": "application/x-www-form-urlencoded"}
        reply = await exchange.ask(service, "POST", f"{kind}/_search", form, kinds)
        found: list[Tree] = []
        while True:
            if reply.status != 200:
                raise KeeperRefused(reply)
            bundle, entries = raw_bundle(reply.body)
            found += [tree for entry in entries if isinstance(tree := decoded(entry["resource"]), dict)]
            links: Any = decoded(bundle["link"]) if "link" in bundle else []
            following = next((link["url"] for link in links if link["relation"] == "next"), None)
            if following is None:
                return found
            reply = await exchange.ask(service, "GET", below_base(following))

    def _ordered(self, found: list[Tree], criteria: Criteria) -> list[Tree]:
        keyed = [(sort_key(criteria.sort, tree, self.zone), tree) for tree in sorted(found, key=lambda one: one["id"])]
        down = [rule.descending for rule in criteria.sort]
        ordered: list[tuple[Any, Tree]] = []
        for key, tree in keyed:  # few, and mostly in order already
            at = len(ordered)
            while at and comes_before(key, ordered[at - 1][0], down):
                at -= 1
            ordered.insert(at, (key, tree))
        return [tree for _, tree in ordered]

    def _links(self, exchange: Exchange, criteria: Criteria, pairs: Pairs, after: int | None) -> list[Tree]:
        address = f"{exchange.base}/{criteria.type}"
        told = urlencode(criteria.pairs)
        links = [{"relation": "self", "url": f"{address}?{told}" if told else address}]
        if after is not None:
            place = msgspec.json.encode(_Place(criteria.type, pairs, after))
            sealed = Fernet(self.cursor_key).encrypt(place).decode().rstrip("=")
            links.append({"relation": "next", "url": f"{address}?{CURSOR_PARAMETER}={sealed}"})
        return links

    def _opened(self, text: str, kind: str) -> tuple[Pairs, int]:
        try:
            padded = text + "=" * (-len(text) % 4)
            place = msgspec.json.decode(Fernet(self.cursor_key).decrypt(padded.encode()), type=_Place)
        except (InvalidToken, msgspec.DecodeError, ValueError):
            place = _Place("", [], 0)
        if place.type != kind:
            raise invalid(
                "This page link is not one of ours.",
                "该分页链接无效。",
                at="http._position",
                detail="front.page-link-not-ours",
            )
        return place.pairs, place.after


@cache
def _of_all_types(types: tuple[str, ...]) -> Mapping[str, Mapping[str, Tree]]:
    """The definitions that name types, by type and id, with all the types that are kept behind the front."""
    made = [*search_parameters([*types, *TYPES]), patient_compartment_definition(types)]
    found: dict[str, dict[str, Tree]] = {}
    for tree in made:
        found.setdefault(tree["resourceType"], {})[tree["id"]] = tree
    return found


def _entry(exchange: Exchange, tree: Tree, criteria: Criteria) -> RawObject:
    text = shown(msgspec.json.encode(tree).decode(), summary=criteria.summary, elements=criteria.elements)
    return {
        "fullUrl": raw(f"{exchange.base}/{tree['resourceType']}/{tree['id']}"),
        "resource": msgspec.Raw(text.encode()),
        "search": raw({"mode": "match"}),
    }
