"""A batch whose entries belong to several services: a part to each, every answer back in its entry's place."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from slipring.fhir.outcome import FhirError, as_operation_outcome, invalid
from slipring.front.bundles import Place, unkept
from slipring.front.exchange import Exchange
from slipring.front.owners import Owners
from slipring.front.peers import FHIR_JSON, Ask, RawObject, Reply, decoded, raw, raw_bundle
from slipring.front.transactions import by_holder

_AT_ONCE = 8  # entries that the front asks for one by one
_CONDITIONS = {
    "ifMatch": "if-match",
    "ifNoneMatch": "if-none-match",
    "ifNoneExist": "if-none-exist",
    "ifModifiedSince": "if-modified-since",
}
_TOLD = {"location": "location", "etag": "etag"}
_PATCH = "application/json-patch+json"


@dataclass(frozen=True, slots=True)
class Batches:
    """Answers batches; `ask` answers a request as if it had come by itself."""

    owners: Owners
    ask: Callable[[Exchange], Awaitable[Reply]]

    async def answer(
        self, exchange: Exchange, bundle: RawObject, entries: list[RawObject], found: list[Place]
    ) -> Reply:
        """One batch-response; when a single service keeps everything, its own."""
        found = await by_holder(exchange, self.owners, found)
        parts: dict[str, list[int]] = {}
        for position, place in enumerate(found):
            if place.ownership and not place.alone:
                parts.setdefault(place.ownership.owner, []).append(position)
        if len(parts) == 1 and len(next(iter(parts.values()))) == len(entries):
            return await exchange.forward(next(iter(parts)))
        answers: list[msgspec.Raw] = [raw(None)] * len(entries)
        gate = asyncio.Semaphore(_AT_ONCE)

        async def part(owner: str, positions: list[int]) -> None:
            told = await self._part(exchange, owner, bundle, [entries[position] for position in positions])
            for position, answer in zip(positions, told, strict=True):
                answers[position] = answer

        async def single(position: int, place: Place) -> None:
            async with gate:
                answers[position] = await self._single(exchange, place, entries[position])

        await asyncio.gather(
            *(part(owner, positions) for owner, positions in parts.items()),
            *(single(at, place) for at, place in enumerate(found) if place.alone or place.ownership is None),
        )
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
            return [_told(reply, show=False)] * len(entries)
        _, answered = raw_bundle(reply.body)
        return [raw(entry) for entry in answered]

    async def _single(self, exchange: Exchange, place: Place, entry: RawObject) -> msgspec.Raw:
        try:
            if place.refused is not None:
                raise place.refused
            if place.ownership is None:
                raise unkept(place.type, self.owners, at=place.at)
            reply = await self.ask(_as_exchange(exchange, place, entry))
        except FhirError as error:
            return self._failed(exchange, error)
        wanted = "return=representation" in exchange.headers.get("prefer", "")
        return _told(reply, show=place.method == "GET" or wanted)

    def _failed(self, exchange: Exchange, error: FhirError) -> msgspec.Raw:
        outcome = as_operation_outcome(error.issues, exchange.headers.get("accept-language", "zh-CN"))
        return raw({"response": {"status": str(error.status), "outcome": outcome}})


def _as_exchange(exchange: Exchange, place: Place, entry: RawObject) -> Exchange:
    """The request that an entry stands for."""
    request: Any = decoded(entry["request"])
    headers = {name: value for name, value in exchange.headers.items() if not name.startswith("if-")}
    headers |= {name: str(request[member]) for member, name in _CONDITIONS.items() if member in request}
    headers.pop("content-type", None)
    body = bytes(entry["resource"]) if "resource" in entry else b""
    if body:
        headers["content-type"] = "application/fhir+json"
    if place.method == "PATCH":
        body, headers["content-type"] = _patch(entry, place.at), _PATCH
    return Exchange(place.method, place.parts, place.query, headers, body, exchange.base, exchange.peers)


def _patch(entry: RawObject, at: str) -> bytes:
    """The JSON Patch that a Binary carries in Base64."""
    binary: Any = decoded(entry["resource"]) if "resource" in entry else {}
    try:
        return base64.b64decode("".join(str(binary["data"]).split()), validate=True)
    except (KeyError, TypeError, binascii.Error, ValueError):
        raise invalid(
            "PATCH needs a Binary with a JSON Patch.",
            "PATCH 须附含 JSON Patch 的 Binary。",
            at=f"{at}.resource",
            detail="front.patch-needs-binary-json-patch",
        ) from None


def _told(reply: Reply, *, show: bool) -> msgspec.Raw:
    """One answer as a Bundle entry: the resource beside its status, an OperationOutcome inside it."""
    headers: Mapping[str, str] = {name.lower(): value for name, value in reply.headers.items()}
    response: dict[str, Any] = {"status": str(reply.status)}
    response |= {member: headers[name] for name, member in _TOLD.items() if name in headers}
    body = msgspec.Raw(reply.body) if reply.body.startswith(b"{") else None
    if reply.status >= 400:
        return raw({"response": response | ({"outcome": body} if body is not None else {})})
    return raw(({"resource": body} if show and body is not None else {}) | {"response": response})
