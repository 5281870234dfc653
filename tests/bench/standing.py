"""Many open cases with their deadlines armed: how late the steps come, how long a start takes among them, what it holds."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from slipring.runtime.postgres import ensure_running

from tests.bench.alerting import copy_case
from tests.bench.delivering import Spans, line, spans
from tests.fhir.place import Place
from tests.support.alarm_street import Phone, a_way, alarm_street, flagged

_PREFIX = "standing_"
_PATIENCE_SECONDS = 180
# So many fall due one after the other while all the others wait; those of the outage at once, long overdue.
_EVENLY = """UPDATE timer SET due_at = clock_timestamp() + interval '2 s' + n * $2::float8 * interval '1 s' FROM
  (SELECT id, row_number() OVER () AS n FROM (SELECT id FROM timer WHERE name = 'step-overdue' ORDER BY due_at DESC LIMIT $1) f) c
  WHERE timer.id = c.id RETURNING timer.subject, timer.due_at"""
# Each of another patient: what rings for one patient is looked at together.
_OTHER_PATIENTS = (
    "UPDATE search_reference SET id = id || '-' || key WHERE parameter IN ('Task.patient', 'Task.subject') AND id = 'o-0'",
    """UPDATE version v SET body = replace(v.body, 'Patient/o-0"', 'Patient/o-0-' || v.key || '"') FROM resource r
      WHERE r.key = v.key AND r.type = 'Task' AND r.source = ''""",
)
_STEPS = """SELECT 'Task/' || resource_id AS subject, min(created_at) AS at FROM outbox
  WHERE type = 'Task' AND version = 2 AND 'Task/' || resource_id = ANY($1::text[]) GROUP BY 1"""


@dataclass(frozen=True)
class Standing:
    """What was measured."""

    lateness: Spans
    start_seconds: float
    megabytes: int


async def measure(folder: Path, number: int, rings: int, per_second: int, say: Callable[[str], None]) -> Standing:
    """So many open cases; `rings` of them fall due, so many a second; then everything starts anew."""
    phone = Phone("127.0.0.1")
    await phone.listen()
    try:
        async with alarm_street(folder, schema_prefix=_PREFIX) as street:
            made = await street["order"].make({"resourceType": "Practitioner", "active": True})
            person = f"Practitioner/{made['id']}"
            await street["critical"].make(a_way(person, f"{phone.url}/ring"))
            await flagged(street, person, 0, "1")
            await _until(lambda: _opened(street["critical"]))
            await _copied(folder, number)
            late = await _lateness(street["critical"], rings, per_second)
        lateness = spans(f"a step's lateness, {number:,} open cases, {per_second}/s", "p99 <= 300 ms", late, p99=300)
        say(line(lateness))
        begun = time.monotonic()
        async with alarm_street(folder, schema_prefix=_PREFIX) as street:
            started = time.monotonic() - begun
            late = await _lateness(street["critical"], 1, 1)
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        say(
            f"four services on these schemas ready after {started:.1f} s, the next step {1000 * late[0]:.0f} ms late; {held} MB at most"
        )
        return Standing(lateness, started, held)
    finally:
        await phone.close()


async def _copied(folder: Path, number: int) -> None:
    database = await asyncpg.connect(ensure_running(folder), server_settings={"search_path": f"{_PREFIX}critical"})
    try:
        await copy_case(database, number, schema=f"{_PREFIX}critical")
        for statement in _OTHER_PATIENTS:
            await database.execute(statement)
    finally:
        await database.close()


async def _lateness(place: Place, rings: int, per_second: int) -> list[float]:
    """From each deadline to the database's clock when its step was committed, in seconds."""
    due = {row["subject"]: row["due_at"] for row in await place.pool.fetch(_EVENLY, rings, 1 / per_second)}

    async def all_taken() -> bool:
        return len(await place.pool.fetch(_STEPS, list(due))) == len(due)

    await _until(all_taken)
    return [(row["at"] - due[row["subject"]]).total_seconds() for row in await place.pool.fetch(_STEPS, list(due))]


async def _opened(place: Place) -> bool:
    return bool(await place.rows("SELECT 1 FROM timer WHERE name = 'step-overdue'"))


async def _until(so: Callable[[], Awaitable[bool]]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not await so():
        if time.monotonic() > end:
            raise SystemExit("it never came")
        await asyncio.sleep(0.25)
