"""Tokens that are refused before they end: a small list, made in the front's schema and looked at by every service.

A token lives five minutes, so a row is needed for no longer than that after it was written.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from typing import Literal

import asyncpg

from slipring.fhir.store.engine import UNAVAILABLE
from slipring.identity.keys import Reader, table

Kind = Literal["client", "jti", "sid"]
Mark = tuple[str, str]  # kind and value, as they stand in a token's claims
LoadRevoked = Callable[[], Awaitable[Collection[Mark]]]
_LONGEST_TOKEN_SECONDS = 360  # five minutes, and the clocks of several machines
_AGAIN_SECONDS = 1.0  # looked at again in the background while requests come
_OLDEST_SECONDS = 4.0  # older than this nobody is let in by it


async def revoke(connection: asyncpg.Connection, schema: str, kind: Kind, value: str) -> None:
    """Refuse from now on every token of this client or session, or this one token; what has ended is forgotten."""
    revoked = table(schema, "revocation")
    await connection.execute(
        f"INSERT INTO {revoked} (kind, value, until) VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))"
        " ON CONFLICT (kind, value) DO UPDATE SET until = excluded.until",
        kind,
        value,
        float(_LONGEST_TOKEN_SECONDS),
    )
    await connection.execute(f"DELETE FROM {revoked} WHERE until < clock_timestamp()")


def revoked_in_database(reader: Reader, schema: str) -> LoadRevoked:
    """Load the list from the front's schema (the services share its database)."""

    async def load() -> Collection[Mark]:
        rows = await reader.fetch(
            f"SELECT kind, value FROM {table(schema, 'revocation')} WHERE until > clock_timestamp()"
        )
        return [(row["kind"], row["value"]) for row in rows]

    return load


class Revoked:
    """The list as one process knows it: never older than a few seconds when a token is judged by it."""

    def __init__(self, load: LoadRevoked | None) -> None:
        self._load = load
        self._loaded_at: float | None = None
        self._loading = asyncio.Lock()
        self._behind: asyncio.Task[None] | None = None
        self.marks: frozenset[Mark] = frozenset()

    async def current(self) -> frozenset[Mark]:
        """The marks now; waits for them only when they are too old, and fails when they are not to be had."""
        if self._load is None:
            return self.marks
        age = None if self._loaded_at is None else time.monotonic() - self._loaded_at
        if age is None or age >= _OLDEST_SECONDS:
            async with self._loading:
                if self._loaded_at is None or time.monotonic() - self._loaded_at >= _OLDEST_SECONDS:
                    await self._refresh()
        elif age >= _AGAIN_SECONDS and (self._behind is None or self._behind.done()):
            self._behind = asyncio.create_task(self._quietly())
        return self.marks

    async def _refresh(self) -> None:
        if self._load is not None:
            began = time.monotonic()
            self.marks = frozenset(await self._load())
            self._loaded_at = began

    async def _quietly(self) -> None:
        try:
            await self._refresh()
        except UNAVAILABLE:
            return  # it grows too old, and then the next request says so
