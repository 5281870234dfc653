"""Connections to one service's schema."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import asyncpg
import asyncpg.exceptions

# What asyncpg raises when the database is away, restarting or full: the caller is asked to try again.
UNAVAILABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TooManyConnectionsError,
)


# For searches: a plan for the values asked for. The statement cache would keep one plan for all values, and a plan
# for the average code is wrong for the common and for the rare one.
PLANNED_EACH_TIME = {"plan_cache_mode": "force_custom_plan"}


class Connection(asyncpg.Connection):
    """A connection that costs no extra round trip when it goes back to the pool.

    Nothing of a session is left to undo: settings come with the connection, and whoever takes a session lock
    (fan-out leader, living worker) gives it back. An open transaction is still rolled back.
    """

    def get_reset_query(self) -> str:
        """No statement."""
        return ""


async def open_pool(
    dsn: str, schema: str, *, size: int = 20, least: int = 2, settings: Mapping[str, str] | None = None
) -> asyncpg.Pool:
    """A pool of at least `least` connections that see one schema only, with synchronous commit."""
    pool: asyncpg.Pool = await asyncpg.create_pool(
        dsn,
        connection_class=Connection,
        statement_cache_size=400,
        min_size=least,
        max_size=size,
        command_timeout=60,
        max_inactive_connection_lifetime=300,
        server_settings={
            "search_path": schema,
            "timezone": "UTC",
            "jit": "off",
            "application_name": f"slipring {schema}",
            # A paused process must not hold row locks for ever (mechanisms: paused worker within 12 s).
            "idle_in_transaction_session_timeout": "10000",
            **(settings or {}),
        },
    )
    return pool


def lock_number(*parts: str) -> int:
    """A stable 63-bit number for an advisory lock, from words."""
    text = "\x1f".join(parts).encode()
    return (zlib.crc32(text) << 31) ^ zlib.crc32(text[::-1] + b"slipring")


@asynccontextmanager
async def transaction(pool: asyncpg.Pool, locks: list[str]) -> AsyncIterator[asyncpg.Connection]:
    """A read-committed transaction that first takes advisory locks, in sorted order.

    The locks come in a statement of their own: a statement's snapshot is taken when it starts, so a lock
    waited for inside the searching statement would prove nothing.
    """
    async with pool.acquire() as connection, connection.transaction():
        for number in sorted({lock_number(lock) for lock in locks}):
            await connection.execute("SELECT pg_advisory_xact_lock($1)", number)
        yield connection
