"""How late timers ring with many armed, and how late those of a worker that was killed.

Two replicas of a small service. Timers are written into the table as a commit would write them; how late one was is
when the database took its commit, less when it was due.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from tests.bench.delivering import Spans, line, spans
from tests.fhir.place import Place, a_task
from tests.support.replica import two_replicas

_PER_SECOND = 40
_ARM = """INSERT INTO timer (kind, name, subject, timer_key, due_at, payload, attempt_id)
  SELECT 'timer', 'ring', subject, 'ring:' || subject, clock_timestamp() + interval '3 s' + n * $2::interval, '{}', gen_random_uuid()::text
  FROM unnest($1::text[]) WITH ORDINALITY AS s(subject, n) RETURNING subject, due_at"""
_ARMED = """INSERT INTO timer (kind, name, subject, timer_key, due_at, payload, attempt_id)
  SELECT 'timer', 'ring', 'Task/none-' || n, 'far:' || n, clock_timestamp() + interval '1 hour' + random() * interval '1 day', '{}',
    gen_random_uuid()::text FROM generate_series(1, $1::int) n"""


async def measure(folder: Path, armed: int, seconds: float, say: Callable[[str], None]) -> list[Spans]:
    """Lateness in peace, then over a kill -9."""
    found = []
    async with two_replicas(folder, "bench_") as (street, (one, _)):
        order = street["order"]
        await order.pool.execute(_ARMED, armed)
        await order.pool.execute("ANALYZE timer")
        calm = await _ring(order, int(_PER_SECOND * seconds))
        found.append(spans(f"timer lateness, {armed:,} armed, {_PER_SECOND}/s", "p99 <= 300 ms", calm, p99=300))
        say(line(found[-1]))
        ringing = asyncio.create_task(_ring(order, _PER_SECOND * 6))
        await asyncio.sleep(6)
        one.kill()
        late = await ringing
        found.append(spans("the same while a worker of two is killed", "at most 2,000 ms", [max(late)], p99=2000))
        say(line(found[-1]))
    return found


async def _ring(order: Place, count: int) -> list[float]:
    """How late each of so many timers was, evenly spread."""
    tasks = [f"Task/{(await order.make(a_task()))['id']}" for _ in range(count)]
    due = {
        row["subject"]: row["due_at"] for row in await order.pool.fetch(_ARM, tasks, timedelta(seconds=1 / _PER_SECOND))
    }
    while await order.pool.fetchval("SELECT count(*) FROM timer WHERE subject = ANY($1::text[])", tasks):
        await asyncio.sleep(0.2)
    rows = await order.pool.fetch(
        "SELECT 'Task/' || resource_id AS subject, created_at FROM outbox WHERE type = 'Task' AND version = 2"
    )
    return [(row["created_at"] - due[row["subject"]]).total_seconds() for row in rows if row["subject"] in due]
