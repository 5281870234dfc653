"""A transaction with one owner: what only the front can know about it is settled before the owner gets it.

Conditions on types that several services keep are held while the owner decides; ids without a letter are looked up;
conditional references to what other services keep are resolved. Everything else is the owner's, atomically.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from slipring.fhir.outcome import refusal
from slipring.front.bundles import Place, one_owner
from slipring.front.conditions import Condition, Conditions
from slipring.front.exchange import Exchange
from slipring.front.holders import holders_of
from slipring.front.owners import Owners, Ownership
from slipring.front.peers import Ask, RawObject, Reply, decoded, raw
from slipring.front.resolving import search_once

# A quote inside a JSON string is always escaped, so an unescaped `"reference"` before a colon is a member name.
_REFERENCE = re.compile(r'(?<!\\)("reference"[ \t\r\n]*:[ \t\r\n]*)("(?:[^"\\]|\\.)*")')
_CONDITIONAL = re.compile(r"(?P<type>[A-Z][A-Za-z]{1,40})\?(?P<query>.*)", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Transactions:
    """Sends transactions to their owner."""

    owners: Owners
    conditions: Conditions

    async def answer(
        self, exchange: Exchange, bundle: RawObject, entries: list[RawObject], found: list[Place]
    ) -> Reply:
        """The owner's answer; 422 when there are several owners."""
        one_owner(found, self.owners)
        found = await by_holder(exchange, self.owners, found)
        async with AsyncExitStack() as stack:
            entries, found = await self._conditions(exchange, stack, entries, found)
            owner = one_owner(found, self.owners)
            entries = await self._references(exchange, owner, entries)
            body = msgspec.json.encode({**bundle, "entry": entries})
            return await exchange.peers.ask(owner, Ask("POST", exchange.target, exchange.headers, body))

    async def _conditions(
        self, exchange: Exchange, stack: AsyncExitStack, entries: list[RawObject], found: list[Place]
    ) -> tuple[list[RawObject], list[Place]]:
        """Conditions as the owner can judge them alone; those on shared types are held until it has answered."""
        asked = [at for at, place in enumerate(found) if place.alone and place.condition is not None]
        if not asked:
            return entries, found
        read = {at: await self._read(exchange, found[at]) for at in asked}
        entries, found = list(entries), list(found)
        for at, condition in read.items():
            entries[at] = _with_condition(entries[at], condition)
        shared = [at for at in asked if len(self.owners.keepers_of(found[at].type)) > 1]
        if shared:
            holders = await stack.enter_async_context(self.conditions.held(exchange, [read[at] for at in shared]))
            for at, holder in zip(shared, holders, strict=True):
                found[at] = replace(found[at], ownership=Ownership(holder)) if holder else found[at]
        return entries, found

    async def _read(self, exchange: Exchange, place: Place) -> Condition:
        member = "ifNoneExist" if place.method == "POST" else "url"
        return await self.conditions.read(exchange, place.type, place.condition or "", f"{place.at}.request.{member}")

    # --- conditional references -----------------------------------------------------------------------------

    async def _references(self, exchange: Exchange, owner: str, entries: list[RawObject]) -> list[RawObject]:
        """Conditional references to types that others keep, resolved in the text: nothing else of it changes."""
        wanted: dict[str, str] = {}
        for at, entry in enumerate(entries):
            for value in _conditional_in(entry):
                kept_type = value.partition("?")[0]
                if self.owners.keepers_of(kept_type) not in ((), (owner,)):
                    wanted.setdefault(value, f"Bundle.entry[{at}].resource")
        if not wanted:
            return entries
        found = await asyncio.gather(*(self._the_one(exchange, value, at) for value, at in wanted.items()))
        known = {value: reference for value, reference in zip(wanted, found, strict=True) if reference}
        return [_resolved(entry, known) for entry in entries]

    async def _the_one(self, exchange: Exchange, value: str, at: str) -> str:
        """The reference to the one match, '' when there is none: the owner then says so."""
        kept_type, _, query = value.partition("?")
        condition = await self.conditions.read(exchange, kept_type, query, at)
        pairs = [*condition.pairs, ("_count", "2")]
        asked = (search_once(exchange, keeper, kept_type, pairs) for keeper in self.owners.keepers_of(kept_type))
        entries = [entry for found, _ in await asyncio.gather(*asked) for entry in found]
        if len(entries) > 1:
            raise refusal(
                412,
                "multiple-matches",
                "Conditional reference: several resources match.",
                "条件引用：有多个资源符合。",
                at=at,
                detail="front.conditional-reference",
            )
        tree: Any = decoded(entries[0]["resource"]) if entries else None
        return f"{kept_type}/{tree['id']}" if tree else ""


async def by_holder(exchange: Exchange, owners: Owners, found: list[Place]) -> list[Place]:
    """The places with the owner of each uncertain id replaced by whoever holds it."""
    wanted = [(place.type, place.parts[1]) for place in found if place.uncertain]
    if not wanted:
        return found
    holders = await holders_of(exchange, owners, wanted)

    def settled(place: Place) -> Place:
        holder = holders.get((place.type, place.parts[1])) if place.uncertain else None
        return replace(place, ownership=Ownership(holder)) if holder else place

    return [settled(place) for place in found]


def _with_condition(entry: RawObject, condition: Condition) -> RawObject:
    """The entry with its condition as each keeper can judge it alone."""
    request: Any = decoded(entry["request"])
    if request.get("method") == "POST":
        return {**entry, "request": raw({**request, "ifNoneExist": condition.query})}
    return {**entry, "request": raw({**request, "url": f"{condition.type}?{condition.query}"})}


def _conditional_in(entry: RawObject) -> Sequence[str]:
    text = bytes(entry["resource"]).decode() if "resource" in entry else ""
    if "?" not in text:
        return ()
    values = (json.loads(match[2]) for match in _REFERENCE.finditer(text))
    return [value for value in values if _CONDITIONAL.fullmatch(value)]


def _resolved(entry: RawObject, known: dict[str, str]) -> RawObject:
    if not known or "resource" not in entry:
        return entry

    def replaced(match: re.Match[str]) -> str:
        reference = known.get(json.loads(match[2]))
        return match[0] if reference is None else match[1] + json.dumps(reference)

    text = _REFERENCE.sub(replaced, bytes(entry["resource"]).decode())
    return {**entry, "resource": msgspec.Raw(text.encode())}
