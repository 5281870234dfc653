"""The keys that services seal with, all in one list: what an auditor takes along to check seals without this server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from slipring.fhir.outcome import FhirError
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.front.peers import Ask, Peers

_AWAY = JSONResponse({"error": "temporarily_unavailable"}, 503, {"Retry-After": "2"})


@dataclass(frozen=True, slots=True)
class ServiceKeys:
    """Asks every service for its key set; a list that lacks one would pass for whole, so then there is none (503)."""

    peers: Peers
    own: Callable[[], Awaitable[list[dict[str, Any]]]] | None

    async def __call__(self, _: Request) -> Response:
        """A JWK Set over the front and all services."""
        asks = [self.peers.ask_path(name, Ask("GET", f"/{name}/.well-known/jwks.json")) for name in self.peers.clients]
        try:
            keys = await self.own() if self.own else []
            replies = await asyncio.gather(*asks)
        except (FhirError, *UNAVAILABLE):
            return _AWAY
        if any(reply.status != 200 for reply in replies):
            return _AWAY
        for reply in replies:
            keys += msgspec.json.decode(reply.body)["keys"]
        return JSONResponse({"keys": keys}, headers={"Cache-Control": "max-age=60"})
