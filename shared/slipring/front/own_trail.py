"""The front's own audit rows (signing in, accounts, roles): sealed like those of a service, and shown beside them.

The front keeps no resources, so of a service it has only what the trail needs: a door that nobody reaches but the front.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
from cryptography.fernet import Fernet
from starlette.requests import Request

from slipring.fhir.caller import Caller
from slipring.fhir.interactions.dispatch import Door
from slipring.fhir.kernel import Kernel
from slipring.fhir.service import Service
from slipring.fhir.store.store import Store
from slipring.runtime.clock import Clock
from slipring.sealing.keys import ServiceKey, published
from slipring.sealing.sealer import Sealer
from slipring.signing.seal_keys import Jwk

FRONT = "front"
_BASE = f"/{FRONT}/fhir"


@dataclass(frozen=True, slots=True)
class OwnTrail:
    """The door to the front's rows, their sealer, and the keys that seal them."""

    door: Door
    sealer: Sealer
    pool: asyncpg.Pool

    def client(self) -> httpx.AsyncClient:
        """The way to it, inside this process."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(app=self._answer), base_url="http://front")

    async def keys(self) -> list[Jwk]:
        """The front's public keys."""
        return await published(self.pool, FRONT)

    async def _answer(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        scope["path_params"] = {"path": scope["path"].removeprefix(_BASE)}
        await (await self.door(Request(scope, receive)))(scope, receive, send)


async def open_own_trail(
    pool: asyncpg.Pool,
    schema: str,
    verify: Callable[[str | None], Awaitable[Caller]],
    cursor_key: bytes,
    clock: Clock,
    zone: tzinfo,
) -> OwnTrail:
    """Put it together; the sealer is not started yet."""
    key = ServiceKey(pool, FRONT)
    await key.prepare()
    sealer = Sealer(pool, schema, key)
    cipher = Fernet(cursor_key)
    kernel = Kernel(
        service=Service(FRONT, "f", "The front: who signs in", keeps=[]),
        store=Store(pool, schema),
        clock=clock,
        zone=zone if isinstance(zone, ZoneInfo) else ZoneInfo("UTC"),
        base=f"http://front{_BASE}",
        cursors=cipher,
        secrets=cipher,
        seals=key,
        noted=sealer.catch_up,
    )
    return OwnTrail(Door(kernel, verify), sealer, pool)
