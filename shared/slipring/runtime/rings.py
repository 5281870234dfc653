"""Hears that something was committed, in any of the services: what an open screen waits for instead of asking again and again.

The services ring through the database (`slipring.fhir.delivery.bell`), wherever they run. A ring says nothing of what changed; a
missed one costs the wait that was given.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg
import structlog

_LOG = structlog.get_logger("slipring.rings")
_AGAIN_SECONDS = 1.0
SCREENS = "slipring screens bell"  # by this name the services see that somebody listens


def channel_of(schema: str) -> str:
    """Where the commits of a schema are rung."""
    return f"slipring_{schema}"


class Rings:
    """One connection that listens for all screens of a process; `over`: the process is about to stop."""

    def __init__(self, dsn: str, schemas: Sequence[str]) -> None:
        self._dsn, self._channels = dsn, [channel_of(schema) for schema in schemas]
        self._rung = asyncio.Event()
        self.times = 0  # how often it rang
        self.over = False

    async def listen(self) -> None:
        """Listen until cancelled, on a new connection when one is lost."""
        while True:
            try:
                await self._listened()
            except (OSError, asyncpg.exceptions.PostgresError, asyncpg.exceptions.InterfaceError) as error:
                _LOG.warning("no rings", kind=type(error).__name__)
            await asyncio.sleep(_AGAIN_SECONDS)

    async def heard(self, seconds: float, *, after: int) -> bool:
        """Whether it rang more often than `after` times, now or within so many seconds; at once when all is over."""
        if self.over or self.times > after:
            return True
        try:
            await asyncio.wait_for(self._rung.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def leave(self) -> None:
        """Nobody waits any longer."""
        self.over = True
        self._ring()

    def _ring(self, *_: object) -> None:
        self.times += 1
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    async def _listened(self) -> None:
        lost = asyncio.Event()
        connection = await asyncpg.connect(self._dsn, server_settings={"application_name": SCREENS})
        try:
            connection.add_termination_listener(lambda _: lost.set())
            for channel in self._channels:
                await connection.add_listener(channel, self._ring)
            await lost.wait()
        finally:
            if not connection.is_closed():
                connection.terminate()
