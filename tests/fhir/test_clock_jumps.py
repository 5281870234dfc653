"""When the database's clock jumps, what is left of a deadline stays; what a jump forward makes due fires in order.

The jump is real to the service: its sessions find a `clock_timestamp()` of the schema's own before the server's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fhir.place import Place, a_task, opened, until
from tests.fhir.test_timers import Engine, arm

_CONNECTIONS = 4


@asynccontextmanager
async def jumping(data_dir: Path, engine: Engine) -> AsyncIterator[Place]:
    async with opened(data_dir, engine.service(), pool_size=_CONNECTIONS) as street:
        place = street["order"]
        schema = place.running.kernel.store.schema
        await place.pool.execute(
            "CREATE TABLE jumped (by interval NOT NULL); INSERT INTO jumped VALUES ('0');"
            f"CREATE FUNCTION {schema}.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS "
            f"$$ SELECT pg_catalog.clock_timestamp() + by FROM {schema}.jumped $$"
        )
        held = [await place.pool.acquire() for _ in range(_CONNECTIONS)]
        for connection in held:
            await connection.execute(f"SET search_path = {schema}, pg_catalog")
            await connection.reload_schema_state()
        for connection in held:
            await place.pool.release(connection)
        await place.running.start()
        yield place


async def jump(place: Place, by: str) -> None:
    await place.pool.execute("UPDATE jumped SET by = by + $1::text::interval", by)


async def left(place: Place) -> float:
    """Seconds until the timer, by the clock that judges it."""
    rows = await place.rows("SELECT extract(epoch FROM due_at - clock_timestamp())::float8 AS seconds FROM timer")
    return float(rows[0]["seconds"])


async def test_a_jump_back_is_told_and_leaves_every_deadline_what_remained_of_it(data_dir: Path) -> None:
    engine = Engine()
    async with jumping(data_dir, engine) as place:
        await arm(place, await place.make(a_task()), "ring", 300)
        await asyncio.sleep(0.6)
        await jump(place, "-1 hour")

        async def told() -> bool:
            health = (await place.client.get("/order/health/engine")).json()
            return bool(health["status"] == "warn" and health["checks"].get("clock:jumped"))

        async def kept() -> bool:
            return 270 < await left(place) < 301

        await until(told)
        await until(kept)
        await asyncio.sleep(0.6)  # once, though every poll sees the clock that jumped
        assert 270 < await left(place) < 301
        assert engine.fired == []


async def test_after_a_jump_forward_what_is_due_fires_once_the_most_urgent_first(data_dir: Path) -> None:
    engine = Engine()
    async with jumping(data_dir, engine) as place:
        tasks = [await place.make(a_task()) for _ in range(20)]
        for number, task in enumerate(reversed(tasks)):
            await arm(place, task, "ring", 600 + number)
        await asyncio.sleep(0.6)
        await jump(place, "2 hours")

        async def all_fired() -> bool:
            return not await place.rows("SELECT 1 FROM timer")

        await until(all_fired)
        assert sorted(due.subject for due in engine.fired) == sorted(f"Task/{task['id']}" for task in tasks)
        assert [due.subject for due in engine.fired][:8] == [f"Task/{task['id']}" for task in reversed(tasks)][:8]
