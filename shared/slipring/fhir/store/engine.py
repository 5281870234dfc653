"""Connections to one service's schema, every wait for them bounded, and what it means when they fail."""

from __future__ import annotations

import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import asyncpg
import asyncpg.exceptions
import asyncpg.pool

from slipring.runtime.meters import Meters

# What asyncpg raises when the database is away, restarting, full, read-only or overloaded: the caller is asked to try
# again. A command that took too long is a TimeoutError, which is an OSError.
UNAVAILABLE = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.InterfaceError,
    asyncpg.exceptions.InternalClientError,  # asyncpg's protocol, when a session is ended in the middle of an answer
    asyncpg.InsufficientResourcesError,
    asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.PostgresSystemError,
    asyncpg.exceptions.TransactionRollbackError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
)
# Of these, those after which nobody knows whether what was sent last has been done.
LOST = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.exceptions.InterfaceError,
    asyncpg.exceptions.InternalClientError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.StatementCompletionUnknownError,
)
_PATIENCE_SECONDS = 15.0  # how long a request waits for a free connection; longer than others wait for a lock
_CONNECT_SECONDS = 5.0


class OutcomeUnknown(Exception):
    """The connection was lost while a commit was under way: it may have been stored."""


# For searches: a plan for the values asked for. The statement cache would keep one plan for all values, and a plan
# for the average code is wrong for the common and for the rare one. Pages are small and their indexes in memory: going
# along an index until the page is full is told at its true price, and no worker is started for it.
PLANNED_EACH_TIME = {
    "plan_cache_mode": "force_custom_plan",
    "random_page_cost": "1.1",
    "max_parallel_workers_per_gather": "0",
}


# What asyncpg has looked up of arrays and other types that come with PostgreSQL: their numbers never change.
_OWN_TYPES_FROM = 16_384
_looked_up: dict[tuple[int, ...], Any] = {}


class Connection(asyncpg.Connection):
    """A connection that costs no extra round trip when it goes back to the pool, and is quick to begin.

    Nothing of a session is left to undo: settings come with the connection, and whoever takes a session lock
    (fan-out leader, living worker) gives it back. An open transaction is still rolled back.
    """

    def get_reset_query(self) -> str:
        """No statement."""
        return ""

    async def _introspect_types(self, typeoids: Iterable[int], timeout: float | None) -> Any:  # noqa: ASYNC109 - as asyncpg has it
        """Look types up once in a process: asyncpg has each connection ask for each kind of array, 10 ms."""
        asked = tuple(sorted(typeoids))
        if asked not in _looked_up:
            types, statement = await super()._introspect_types(asked, timeout)  # type: ignore[no-untyped-call]
            if asked[-1] >= _OWN_TYPES_FROM:
                return types, statement
            _looked_up[asked] = types
        return _looked_up[asked], _NOTHING_PREPARED


_NOTHING_PREPARED = SimpleNamespace(name="none")  # no anonymous statement was lost over it


def timed(observe: Callable[[float], None]) -> type[Connection]:
    """A kind of connection that tells how long each statement took, to the end of its result."""

    class Timed(Connection):
        async def _told(self, asked: Awaitable[Any]) -> Any:
            began = time.perf_counter()
            try:
                return await asked
            finally:
                observe(time.perf_counter() - began)

        async def execute(self, *args: Any, **kwargs: Any) -> Any:
            return await self._told(super().execute(*args, **kwargs))

        async def executemany(self, *args: Any, **kwargs: Any) -> Any:
            return await self._told(super().executemany(*args, **kwargs))

        async def fetch(self, *args: Any, **kwargs: Any) -> Any:
            return await self._told(super().fetch(*args, **kwargs))

        async def fetchrow(self, *args: Any, **kwargs: Any) -> Any:
            return await self._told(super().fetchrow(*args, **kwargs))  # type: ignore[no-untyped-call]

        async def fetchval(self, *args: Any, **kwargs: Any) -> Any:
            return await self._told(super().fetchval(*args, **kwargs))  # type: ignore[no-untyped-call]

    return Timed


class Pool(asyncpg.pool.Pool):
    """A pool in which nobody waits for ever: without a free connection a request is told to come again (503)."""

    waited: Callable[[float], None] | None = None  # is told how long somebody waited when no connection was idle

    async def _acquire(self, timeout: float | None) -> Any:  # noqa: ASYNC109 - as asyncpg has it
        if self.waited is None or self.get_idle_size():  # type: ignore[no-untyped-call]
            return await super()._acquire(timeout)  # type: ignore[no-untyped-call]
        began = time.perf_counter()
        try:
            return await super()._acquire(timeout)  # type: ignore[no-untyped-call]
        finally:
            self.waited(time.perf_counter() - began)

    def acquire(self, *, timeout: float | None = None) -> Any:
        """A connection; waiting for one that is not idle yet is bounded."""
        if timeout is None and not self.get_idle_size():  # type: ignore[no-untyped-call]
            timeout = _PATIENCE_SECONDS
        return super().acquire(timeout=timeout)  # type: ignore[no-untyped-call]


async def open_pool(
    dsn: str,
    schema: str,
    *,
    size: int = 20,
    least: int = 2,
    settings: Mapping[str, str] | None = None,
    meters: Meters | None = None,
) -> asyncpg.Pool:
    """A pool of at least `least` connections that see one schema only, with synchronous commit."""
    pool = Pool(  # type: ignore[no-untyped-call]
        dsn,
        connection_class=timed(meters.statements.observe) if meters else Connection,
        record_class=asyncpg.Record,
        loop=None,
        min_size=least,
        max_size=size,
        max_queries=50_000,
        max_inactive_connection_lifetime=300,
        timeout=_CONNECT_SECONDS,
        statement_cache_size=400,
        command_timeout=60,
        server_settings={
            "search_path": schema,
            "timezone": "UTC",
            "jit": "off",
            "application_name": f"slipring {schema}",
            # A paused process must not hold row locks for ever (mechanisms: paused worker within 12 s).
            "idle_in_transaction_session_timeout": "10000",
            "lock_timeout": "10000",
            "statement_timeout": "50000",
            # A peer that vanished without a word is noticed, so that its locks and leases fall free.
            "tcp_keepalives_idle": "10",
            "tcp_keepalives_interval": "3",
            "tcp_keepalives_count": "3",
            **(settings or {}),
        },
    )
    pool.waited = meters.pool_waits.observe if meters else None
    await pool
    return pool


def lock_number(*parts: str) -> int:
    """A stable 63-bit number for an advisory lock, from words."""
    text = "\x1f".join(parts).encode()
    return (zlib.crc32(text) << 31) ^ zlib.crc32(text[::-1] + b"slipring")


@asynccontextmanager
async def transaction(pool: asyncpg.Pool, locks: list[str], first: str = "") -> AsyncIterator[asyncpg.Connection]:
    """A read-committed transaction that begins with advisory locks, in sorted order, and with the statement `first`.

    Each is a statement of its own, and all go in one message: a statement's snapshot is taken when it starts, so a lock
    waited for inside the searching statement would prove nothing. Raises OutcomeUnknown when the connection is
    lost in the commit itself.
    """
    numbers = sorted({lock_number(lock) for lock in locks})
    begin = ["BEGIN", *(f"SELECT pg_advisory_xact_lock({number})" for number in numbers), *([first] if first else [])]
    async with pool.acquire() as connection:
        try:
            await connection.execute("; ".join(begin))
            yield connection
        except BaseException:
            if not connection.is_closed():  # with the connection the transaction is gone already
                await connection.execute("ROLLBACK")
            raise
        try:
            await connection.execute("COMMIT")
        except LOST as error:
            raise OutcomeUnknown from error


@asynccontextmanager
async def snapshot(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """A transaction that writes nothing and sees the database as it stood when it asked for the first time."""
    async with pool.acquire() as connection:
        try:
            await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield connection
        finally:
            if not connection.is_closed():
                await connection.execute("ROLLBACK")


class OneConnection:
    """A pool of the one connection that holds an open transaction."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self.fetch = connection.fetch
        self.fetchrow = connection.fetchrow
        self.fetchval = connection.fetchval
        self.execute = connection.execute

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[asyncpg.Connection]:
        """The connection, which stays where it is."""
        yield self._connection
