"""Two replicas of one service on one schema: each hears the other's commits at once."""

from __future__ import annotations

import asyncio
from pathlib import Path

from slipring.fhir.delivery.bell import Bell
from slipring.fhir.store.engine import open_pool
from slipring.fhir.store.store import Store
from slipring.runtime.postgres import ensure_running


async def test_a_commit_of_one_replica_wakes_the_workers_of_the_other(data_dir: Path) -> None:
    """The ring crosses the database well before the poll of one second would; one's own ring is not heard."""
    dsn = ensure_running(data_dir)
    pools = [await open_pool(dsn, "replicas", size=2) for _ in range(2)]
    mine, theirs = (Store(pool, "replicas") for pool in pools)
    bells = [Bell(mine), Bell(theirs)]
    try:
        for bell in bells:
            await bell.step()
        await asyncio.wait_for(mine.written.wait(), 0.5)  # the second one rang as it came
        mine.written.clear()
        bells[0]._looked_at = float("-inf")  # it looked around before the other was there
        await bells[0].step()
        await asyncio.wait_for(theirs.written.wait(), 0.5)
        assert theirs.armed.is_set()
        assert not mine.written.is_set()
    finally:
        for bell in bells:
            await bell.close()
        for pool in pools:
            await pool.close()
