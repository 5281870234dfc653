"""A batch whose entries belong to several services: a part to each, every answer back in its entry's place."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec

from slipring.fhir.outcome import FhirError, as_operation_outcome
from slipring.front.bundles import Place, unkept
from slipring.front.exchange import Exchange
from slipring.front.owners import Owners
from slipring.front.peers import FHIR_JSON, Ask, RawObject, Reply, decoded, raw, raw_bundle
from slipring.front.searching import Searches


@dataclass(frozen=True, slots=True)
class Batches:
    """Answers batches."""

    owners: Owners
    searches: Searches

    async def answer(
        self, exchange: Exchange, bundle: RawObject, entries: list[RawObject], found: list[Place]
    ) -> Reply:
        """One batch-response; when a single service keeps everything, its own."""
        parts: dict[str, list[int]] = {}
        for position, place in enumerate(found):
            if place.ownership and not place.spread:
                parts.setdefault(place.ownership.owner, []).append(position)
        if len(parts) == 1 and len(next(iter(parts.values()))) == len(entries):
            return await exchange.forward(next(iter(parts)))
        answers: list[msgspec.Raw] = [raw(None)] * len(entries)
        replies = await asyncio.gather(
            *(
                self._part(exchange, owner, bundle, [entries[position] for position in part])
                for owner, part in parts.items()
            )
        )
        for part, answered in zip(parts.values(), replies, strict=True):
            for position, answer in zip(part, answered, strict=True):
                answers[position] = answer
        for position, single in enumerate(found):
            if single.ownership is None:
                answers[position] = self._failed(exchange, unkept(single.type, self.owners, at=single.at))
            elif single.spread:
                answers[position] = await self._spread(exchange, single, entries[position])
        united: dict[str, object] = {"resourceType": "Bundle", "type": "batch-response", "entry": answers}
        return Reply(200, {"content-type": FHIR_JSON, "x-request-id": exchange.request_id}, msgspec.json.encode(united))

    async def _part(
        self, exchange: Exchange, owner: str, bundle: RawObject, entries: list[RawObject]
    ) -> list[msgspec.Raw]:
        body = msgspec.json.encode({**bundle, "entry": entries})
        try:
            reply = await exchange.peers.ask(owner, Ask("POST", exchange.target, exchange.headers, body))
        except FhirError as error:
            return [self._failed(exchange, error)] * len(entries)
        if reply.status != 200:
            outcome = msgspec.Raw(reply.body) if reply.body.startswith(b"{") else raw(None)
            return [raw({"response": {"status": str(reply.status), "outcome": outcome}})] * len(entries)
        _, answered = raw_bundle(reply.body)
        return [raw(entry) for entry in answered]

    async def _spread(self, exchange: Exchange, place: Place, entry: RawObject) -> msgspec.Raw:
        request: Any = decoded(entry["request"])
        query = request["url"].partition("?")[2]
        search = Exchange("GET", (place.type,), query, exchange.headers, b"", exchange.base, exchange.peers)
        try:
            reply = await self.searches.search(search, place.type)
        except FhirError as error:
            return self._failed(exchange, error)
        found = msgspec.Raw(reply.body)
        if reply.status != 200:
            return raw({"response": {"status": str(reply.status), "outcome": found}})
        return raw({"resource": found, "response": {"status": "200"}})

    def _failed(self, exchange: Exchange, error: FhirError) -> msgspec.Raw:
        outcome = as_operation_outcome(error.issues, exchange.headers.get("accept-language", "zh-CN"))
        return raw({"response": {"status": str(error.status), "outcome": outcome}})
