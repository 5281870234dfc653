"""Wakes the workers of other replicas, and open screens, after a commit: a coalesced NOTIFY on a connection of its own.

Never inside a write's transaction: its lock is held until the log is flushed and would serialise all commits.
A missed ring costs one poll, never an event.
"""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg

from slipring.fhir.store.store import Store
from slipring.runtime.rings import SCREENS, channel_of

_GATHER_SECONDS = 0.005  # at most one NOTIFY in this time, however many commits
_LOOK_AROUND_SECONDS = 1.0  # how often it is asked whether anyone else listens


class Bell:
    """Rings for the other replicas of one service, and hears them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection: Any = None  # an asyncpg connection held for as long as the worker lives
        self._channel = channel_of(store.schema)
        self._others = False
        self._looked_at = float("-inf")
        self._rung_at = float("-inf")

    async def step(self) -> None:
        """Ring once for all commits since the last time, if there is anyone to hear it."""
        connection = await self._listening()
        clock = asyncio.get_running_loop().time
        if (left := self._rung_at + _GATHER_SECONDS - clock()) > 0:
            await asyncio.sleep(left)
        self._rung_at = clock()
        self._store.committed.clear()
        if await self._has_others(connection):
            await connection.execute("SELECT pg_notify($1, '')", self._channel)

    async def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()
            await self._store.pool.release(connection)

    async def _listening(self) -> Any:
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        if self._connection is not None:  # forgotten first: a second try must not ask it again
            lost, self._connection = self._connection, None
            await self._store.pool.release(lost)
        connection = await self._store.pool.acquire()
        try:
            # A ring that is lost in a crash is made up for by the poll: it need not wait for the log.
            await connection.execute("SET synchronous_commit = off")
            await connection.execute(f"SET application_name = '{self._channel} bell'")
            await connection.add_listener(self._channel, self._heard)
        except BaseException:
            await self._store.pool.release(connection)
            raise
        self._connection = connection
        return connection

    def _heard(self, connection: Any, pid: int, _channel: str, _payload: object) -> None:
        if pid != connection.get_server_pid():
            self._store.rung = True
            self._store.written.set()
            self._store.armed.set()

    async def _has_others(self, connection: asyncpg.Connection) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._looked_at >= _LOOK_AROUND_SECONDS:
            self._looked_at = now
            self._others = await connection.fetchval(
                "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = ANY($1) AND pid <> pg_backend_pid())",
                [f"{self._channel} bell", SCREENS],
            )
        return self._others
