"""Connections to one service's schema."""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

# What asyncpg raises when the database is away, restarting or full: the caller is asked to try again.
UNAVAILABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TooManyConnectionsError,
)


async def open_pool(dsn: str, schema: str, *, size: int = 20) -> asyncpg.Pool:
    """A pool whose connections see one schema only, with synchronous commit."""
    return await asyncpg.create_pool(
        dsn,
        min_size=2,
        max_size=size,
        command_timeout=60,
        max_inactive_connection_lifetime=300,
        server_settings={
            "search_path": schema,
            "timezone": "UTC",
            "application_name": f"slipring {schema}",
            # A paused process must not hold row locks for ever (mechanisms: paused worker within 12 s).
            "idle_in_transaction_session_timeout": "10000",
        },
    )


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
