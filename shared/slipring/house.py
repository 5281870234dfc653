"""What one process serves, as one ASGI application: the first path segment says which service, the rest is the front's."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.responses import JSONResponse

from slipring.app import Running
from slipring.runtime.meters import Meters
from slipring.runtime.rings import Rings
from slipring.sealing.sealer import Sealer
from slipring.watch.heartbeat import Heartbeat
from slipring.watch.loop_lag import watch_the_loop
from slipring.watch.rates import INSIDE


@dataclass(slots=True)
class House:
    """Everything one process serves: an ASGI application that looks at the first path segment."""

    services: dict[str, Running]
    front: Any | None
    peers: dict[str, httpx.AsyncClient]
    sealer: Sealer | None = None  # of the front's own schema
    starting: bool = False  # it answers, but its loops do not all run yet
    leaving: bool = False
    meters: Meters = field(default_factory=Meters)  # the front's, or of a process without it
    heartbeat: Heartbeat | None = None
    rings: Rings | None = None  # what open screens wait for
    watching: list[asyncio.Task[None]] = field(default_factory=list)

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Hand a request to its service, else to the front."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if (self.starting or self.leaving) and scope["path"].endswith("/health/ready"):
            await JSONResponse({"status": "shutting down" if self.leaving else "starting"}, 503)(scope, receive, send)
            return
        first = scope["path"].lstrip("/").partition("/")[0] if "path" in scope else ""
        running = self.services.get(first)
        application = running.app if running else self.front
        if application is None:
            await _nothing_here(send)
            return
        await application(scope, receive, send)

    async def inside(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """A request of this process to itself: not counted against anybody's address."""
        await self({**scope, INSIDE: True}, receive, send)

    def leave(self) -> None:
        """From now on not ready: whoever sends requests here looks for another replica."""
        self.leaving = True
        if self.rings is not None:
            self.rings.leave()

    async def start(self) -> None:
        """Start every service's worker."""
        self.watching.append(asyncio.create_task(watch_the_loop()))
        if self.heartbeat is not None:
            self.watching.append(asyncio.create_task(self.heartbeat.run()))
        if self.rings is not None:
            self.watching.append(asyncio.create_task(self.rings.listen()))
        for running in self.services.values():
            await running.start()
        if self.sealer is not None:
            await self.sealer.start()

    async def stop(self) -> None:
        """Stop them."""
        for task in self.watching:
            task.cancel()
        await asyncio.gather(*self.watching, return_exceptions=True)
        if self.sealer is not None:
            await self.sealer.stop()
        await asyncio.gather(*(running.stop() for running in self.services.values()))
        for client in self.peers.values():
            await client.aclose()


async def _lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _nothing_here(send: Any) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"Nothing is served at this address."})
