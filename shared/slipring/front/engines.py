"""The front's `/health/engine`: what every service says about its engine, and the worst of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from slipring.fhir.outcome import FhirError
from slipring.front.peers import Ask, Peers
from slipring.watch.engine import told
from slipring.watch.exposition import Network, may_look
from slipring.watch.verdict import Status, worst


@dataclass(frozen=True, slots=True)
class Engines:
    """Asks the services; one that does not answer within `seconds` fails."""

    peers: Peers
    seconds: float
    watchers: Sequence[Network]

    async def __call__(self, request: Request) -> Response:
        """200 while every engine works, 503 when one does not."""
        names = list(self.peers.clients)
        found = dict(zip(names, await asyncio.gather(*(self._one(name) for name in names)), strict=True))
        detailed = may_look(request, self.watchers)
        if not detailed:
            found = {name: {k: v for k, v in health.items() if k != "checks"} for name, health in found.items()}
        status = worst(Status(health["status"]) for health in found.values())
        return told({"status": status.value, "serviceId": "front", "services": found}, detailed=detailed)

    async def _one(self, service: str) -> dict[str, Any]:
        try:
            async with asyncio.timeout(self.seconds):
                reply = await self.peers.ask_path(service, Ask("GET", f"/{service}/health/engine"))
            health: dict[str, Any] = msgspec.json.decode(reply.body)
            Status(health["status"])
        except (FhirError, TimeoutError, msgspec.DecodeError, KeyError, ValueError):
            return {"status": Status.FAIL.value, "serviceId": service, "output": "no answer"}
        return health
