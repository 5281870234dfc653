"""All indicators over a year of synthetic exams, laid down by COPY in growing numbers: time, memory, and what the rows take.

The rows are those that the services write with each record; all four services' lie in one schema, which is more than any has.
"""

from __future__ import annotations

import asyncio
import random
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
from slipring.fhir.store.counted import CountedRows
from slipring.fhir.store.migrate import migrate
from slipring.measuring.asking import Question
from slipring.measuring.evaluated import evaluated
from slipring.qc.indicators.definition import definitions
from slipring.qc.indicators.dose import dose_populations, population_of
from slipring.qc.indicators.row import Counted, counted
from slipring.runtime.postgres import ensure_running

_SCHEMA = "indicating"
_YEAR, _MINUTES = datetime(2025, 1, 1, tzinfo=UTC), 365 * 24 * 60
_ZONE = ZoneInfo("Asia/Shanghai")
_AT_ONCE = 20_000
_GROUPS = sorted({name.removeprefix("dose-").rpartition("-")[0] for name in dose_populations()})
_SAMPLED = 50  # one exam in so many is scored, graded or held against a reference


@dataclass(frozen=True)
class Indicated:
    """What was measured at one size."""

    exams: int
    rows: int
    rows_megabytes: float
    first_seconds: float  # after the load, nothing read yet
    seconds: float  # the middle of the others
    by_month_seconds: float
    python_megabytes: float


async def measure(folder: Path, sizes: Sequence[int], rounds: int, say: Callable[[str], None]) -> list[Indicated]:
    """Grow the rows to each size and evaluate every definition over the whole year."""
    dsn = await asyncio.to_thread(ensure_running, folder)
    await migrate(dsn, _SCHEMA)
    found = []
    connection = await asyncpg.connect(dsn, server_settings={"search_path": _SCHEMA})
    try:
        there = 0
        for size in sorted(sizes):
            await _grow(connection, there, size, say)
            there = size
            found.append(await _measured(connection, size, rounds))
            say(told(found[-1]))
    finally:
        await connection.close()
    return found


def told(one: Indicated) -> str:
    """A size in one line."""
    return (
        f"{one.exams:9,} exams, {one.rows:9,} rows ({one.rows_megabytes:.0f} MB): all {_number()} indicators in "
        f"{one.seconds:.2f} s (first {one.first_seconds:.2f} s, by month {one.by_month_seconds:.2f} s), "
        f"process {one.python_megabytes:.0f} MB"
    )


def exam_rows(number: int) -> Iterator[Counted]:
    """What the services write of one exam; a number always gives the same."""
    drawn = random.Random(number)
    at = _YEAR + timedelta(minutes=drawn.randrange(_MINUTES))
    request, role = f"ServiceRequest/o-{number:08x}", f"PractitionerRole/o-{drawn.randrange(200)}"
    priority = drawn.choices(("", "urgent", "stat"), (80, 15, 5))[0]
    system, took = f"B{drawn.randrange(1, 7)}", drawn.expovariate(1 / 600)
    contrast = drawn.random() < 0.3
    yield counted(
        "exam", request, at, ["acquired", priority, "contrast" if contrast else ""], value=took, requester=role
    )
    in_time = "in-time" if took < 4320 else ""
    yield counted("exam-due", request, at, ["done", in_time, priority], value=took, requester=role)
    for population in ("exam", "exam-due"):
        yield counted(population, request, at, remark=True, scanner=f"Device/o-{number % 4}")
    if drawn.random() < 0.001:
        yield counted("exam", request, at, ["error"], remark=True)
    group, given = drawn.choice(_GROUPS), drawn.lognormvariate(2.5, 0.4)
    for quantity, value in (("ctdivol", given), ("dlp", 30 * given)):
        yield counted(
            population_of(group, quantity), request, at, ["adult"], value=value, scanner=f"Device/o-{number % 4}"
        )
    clock = {"stat": "green-channel", "urgent": "emergency"}.get(priority, "ordinary")
    minutes = drawn.expovariate(1 / 60)
    yield counted("reading", request, at, [clock, "issued", "in-time" if minutes < 240 else ""], value=minutes)
    result = drawn.choice(("positive", "positive", "negative"))
    amended = "amended" if drawn.random() < 0.01 else ""
    report = f"DiagnosticReport/r-{number:08x}"
    yield counted("report", report, at, ["classified", result, amended], system=system)
    if number % _SAMPLED == 0:
        yield counted("report-score", report, at, ["passed", "grade-a"])
        yield counted("against-pathology", report, at, [drawn.choice(("concordant", "partly"))], system=system)
        yield counted("against-clinic", report, at, ["concordant"], system=system)
        yield counted("image-sheet", request, at, ["grade-a", "identity-right", "part-right", "label-right"])
        yield counted("critical-case", f"Task/k-{number:08x}", at, ["told"], value=drawn.expovariate(1 / 4))
        yield counted("satisfaction", f"QuestionnaireResponse/o-{number:08x}", at, ["patient", "satisfied"], value=4.5)
    if contrast:
        injection = f"MedicationAdministration/c-{number:08x}"
        yield counted("injection", injection, at)
        if drawn.random() < 0.005:
            yield counted("injection", injection, at, [drawn.choice(("extravasation", "reaction"))], remark=True)


async def _grow(connection: asyncpg.Connection, first: int, last: int, say: Callable[[str], None]) -> None:
    for begin in range(first, last, _AT_ONCE):
        numbers = range(begin, min(begin + _AT_ONCE, last))
        records = [(number, *row) for number in numbers for row in exam_rows(number)]
        await connection.copy_records_to_table("counted", records=records, columns=["key", *Counted._fields])
        if begin % (10 * _AT_ONCE) == 0:
            say(f"laying down {begin:,} of {last:,}")
    await connection.execute("VACUUM ANALYZE counted")


async def _measured(connection: asyncpg.Connection, exams: int, rounds: int) -> Indicated:
    counting = CountedRows(connection, _ZONE)
    year = date(2025, 1, 1), date(2025, 12, 31)
    question = Question(*year, (), None, datetime(2026, 2, 1, tzinfo=UTC), _ZONE)
    every = [one for one in definitions().values() if one.population != "scanner-time"]
    took = []
    for _ in range(rounds + 1):
        begun = time.perf_counter()
        found = await evaluated(question, every, counting)
        took.append(time.perf_counter() - begun)
    assert sum(one.counts.over for one in found) > exams
    begun = time.perf_counter()
    await evaluated(question, every, counting, "month")
    by_month = time.perf_counter() - begun
    rows = int(await connection.fetchval("SELECT count(*) FROM counted"))
    size = int(await connection.fetchval("SELECT pg_total_relation_size('counted')"))
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Indicated(exams, rows, size / 1e6, took[0], sorted(took[1:])[rounds // 2], by_month, held)


def _number() -> int:
    return sum(one.population != "scanner-time" for one in definitions().values())
