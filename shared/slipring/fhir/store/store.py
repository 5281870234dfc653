"""One service's store: the pool of its schema, commits, and the wake-up after each commit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial

import asyncpg

from slipring.fhir.store.audit import AuditQueue
from slipring.fhir.store.batch import Batch
from slipring.fhir.store.certainty import settle, stored
from slipring.fhir.store.commit import commit, holder_of
from slipring.fhir.store.engine import OutcomeUnknown, transaction
from slipring.fhir.store.fresh import write_fresh
from slipring.fhir.store.grouped import Grouped
from slipring.runtime.tracing import tracing

_MOST_TOGETHER = 64  # requests in one commit


class Store:
    """Reads go to `pool`, searches to `searches`, writes through `commit`.

    `written` is set after each commit that leaves work to do.
    """

    def __init__(self, pool: asyncpg.Pool, schema: str, searches: asyncpg.Pool | None = None) -> None:
        self.pool = pool
        self.searches = searches or pool
        self.schema = schema
        self.audits = AuditQueue(pool)
        self._fresh: Grouped[Batch, None] = Grouped(partial(write_fresh, pool), most=_MOST_TOGETHER)
        self.written = asyncio.Event()  # events wait to be fanned out
        self.armed = asyncio.Event()  # timers or errands were armed
        self.committed = asyncio.Event()  # other replicas are to be told
        self.rung = False  # another replica has told of work
        self.turn = asyncio.Lock()  # those whose act was overtaken try again one at a time
        self.full = False  # a write failed for want of disk, and no probe has succeeded since

    def transaction(self, locks: list[str]) -> AbstractAsyncContextManager[asyncpg.Connection]:
        """A transaction that holds advisory locks named by words."""
        return transaction(self.pool, locks)

    async def commit(self, batch: Batch, within: asyncpg.Connection | None = None) -> None:
        """Write the batch; with `within` the caller's transaction ends it, and `wake` must follow."""
        on = tracing()
        if on is None:
            await self._commit(batch, within)
            return
        told = {"db.system.name": "postgresql", "db.namespace": self.schema, "slipring.versions": len(batch.versions)}
        with on.span("commit", "CLIENT", told):
            await self._commit(batch, within)
            on.committed(self.schema, (f"{v.reference}/{v.version}" for v in batch.versions))

    async def _commit(self, batch: Batch, within: asyncpg.Connection | None) -> None:
        if within is not None:
            await commit(self.pool, batch, within)
            return
        try:
            await (self._fresh.do(batch) if batch.fresh else commit(self.pool, batch))
        except OutcomeUnknown:
            await settle(self.pool, batch)
        self.wake(batch)

    async def stored(self, batch: Batch, locks: list[str]) -> bool:
        """Whether a batch whose commit was cut off is stored; it was written under these locks."""
        return await stored(self.pool, batch, locks)

    async def holder(self, keys: Sequence[str]) -> str | None:
        """The resource that holds one of these business keys, as `Type/id`."""
        return await holder_of(self.pool, keys)

    def wake(self, batch: Batch) -> None:
        """Tell the workers of this process at once; a missed call costs one poll, never an event."""
        self.committed.set()
        if any(not version.source for version in batch.versions):
            self.written.set()
        if batch.wake:
            self.armed.set()

    async def has_room(self) -> bool:
        """Whether the database's disk takes new pages again: asked by really writing some."""
        try:
            async with self.pool.acquire() as connection, connection.transaction():
                await connection.execute(
                    "CREATE TEMPORARY TABLE room ON COMMIT DROP AS SELECT repeat('x', 4000) FROM generate_series(1, 64)"
                )
                await connection.execute("SELECT pg_logical_emit_message(true, 'room', repeat('x', 65536))")
        except asyncpg.DiskFullError:
            return False
        self.full = False
        return True

    async def secret(self, name: str, made: str) -> str:
        """A random value of this schema, kept from its first use on."""
        async with self.pool.acquire() as connection:
            await connection.execute(
                "INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, made
            )
            return str(await connection.fetchval("SELECT value FROM secret WHERE name = $1", name))
