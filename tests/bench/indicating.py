"""All indicators over a year of synthetic exams, laid down by COPY in growing numbers: time, memory, and what the rows take.

The rows are those that the services write with each record; all four services' lie in one schema, which is more than any has.
They are laid down by another process, and their sums are folded as the tidying loop does it; the questions are asked over a
connection such as the services ask them over.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
from slipring.fhir.store.counted import CountedRows
from slipring.fhir.store.engine import PLANNED_EACH_TIME
from slipring.fhir.store.migrate import migrate
from slipring.fhir.store.summed import fold
from slipring.measuring.asking import Question
from slipring.measuring.evaluated import Evaluated, evaluated
from slipring.qc.indicators.definition import definitions
from slipring.qc.indicators.dose import dose_populations, population_of
from slipring.qc.indicators.row import Counted, counted
from slipring.runtime.postgres import ensure_running

from tests.bench.serving import processor_seconds

_SCHEMA = "indicating"
_YEAR, _MINUTES = datetime(2025, 1, 1, tzinfo=UTC), 365 * 24 * 60
_ZONE = ZoneInfo("Asia/Shanghai")
_AT_ONCE, _CHUNK = 20_000, 100_000
_GROUPS = sorted({name.removeprefix("dose-").rpartition("-")[0] for name in dose_populations()})
_SAMPLED = 50  # one exam in so many is scored, graded or held against a reference


@dataclass(frozen=True)
class Indicated:
    """What was measured at one size."""

    exams: int
    rows: int
    rows_megabytes: float
    sums: int
    sums_megabytes: float
    first_seconds: float  # after the load, nothing read yet
    seconds: float  # the middle of the others
    python_seconds: float  # processor time of one evaluation
    postgres_seconds: float
    by_month_seconds: float
    by_service: dict[str, tuple[int, float]]  # how many, and seconds
    python_megabytes: float  # the most that the process ever held
    load: float  # of the machine


async def measure(folder: Path, sizes: Sequence[int], rounds: int, say: Callable[[str], None]) -> list[Indicated]:
    """Grow the rows to each size and evaluate every definition over the whole year."""
    dsn = await asyncio.to_thread(ensure_running, folder)
    await migrate(dsn, _SCHEMA)
    found = []
    with ProcessPoolExecutor(1, get_context("spawn")) as other:
        there = 0
        for size in sorted(sizes):
            for begin in range(there, size, _CHUNK):
                await asyncio.get_running_loop().run_in_executor(other, lay_down, dsn, begin, min(begin + _CHUNK, size))
            await asyncio.get_running_loop().run_in_executor(other, tidy, dsn)
            there = size
            found.append(await _measured(dsn, size, rounds))
            for line in told(found[-1]):
                say(line)
    return found


def told(one: Indicated) -> list[str]:
    """A size in three lines."""
    parts = ", ".join(f"{name} {number} in {seconds:.2f} s" for name, (number, seconds) in one.by_service.items())
    return [
        f"{one.exams:9,} exams: all {_number()} indicators in {one.seconds:.2f} s (first {one.first_seconds:.2f} s, by month "
        f"{one.by_month_seconds:.2f} s); load average {one.load:.1f} on {os.cpu_count()} cores",
        f"{'':9}  processor: Python {one.python_seconds:.2f} s, PostgreSQL {one.postgres_seconds:.2f} s; process at most "
        f"{one.python_megabytes:.0f} MB; {one.rows:,} rows {one.rows_megabytes:.0f} MB, {one.sums:,} sums {one.sums_megabytes:.0f} MB",
        f"{'':9}  by service: {parts}",
    ]


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


def lay_down(dsn: str, first: int, last: int) -> None:
    """The rows of some exams, in a process of its own: what it holds is not the evaluation's."""
    asyncio.run(_lay_down(dsn, first, last))


def tidy(dsn: str) -> None:
    """Fold the sums, as the loop of a service does all the time, and tell the planner what there is."""
    asyncio.run(_tidy(dsn))


async def _lay_down(dsn: str, first: int, last: int) -> None:
    connection = await _connected(dsn)
    try:
        for begin in range(first, last, _AT_ONCE):
            numbers = range(begin, min(begin + _AT_ONCE, last))
            records = [(number, *row) for number in numbers for row in exam_rows(number)]
            await connection.copy_records_to_table("counted", records=records, columns=["key", *Counted._fields])
    finally:
        await connection.close()


async def _tidy(dsn: str) -> None:
    connection = await _connected(dsn)
    try:
        await connection.execute("ANALYZE counted_sum, counted_month")
        while await fold(connection):
            pass
        await connection.execute("VACUUM ANALYZE counted, counted_sum, counted_month")
    finally:
        await connection.close()


async def _connected(dsn: str) -> asyncpg.Connection:
    return await asyncpg.connect(dsn, server_settings={"search_path": _SCHEMA, **PLANNED_EACH_TIME})


async def _measured(dsn: str, exams: int, rounds: int) -> Indicated:
    connection = await _connected(dsn)
    try:
        return await _evaluated(connection, exams, rounds)
    finally:
        await connection.close()


async def _evaluated(connection: asyncpg.Connection, exams: int, rounds: int) -> Indicated:
    counting = CountedRows(connection, _ZONE)
    year = date(2025, 1, 1), date(2025, 12, 31)
    question = Question(*year, (), None, datetime(2026, 2, 1, tzinfo=UTC), _ZONE)
    every = [one for one in definitions().values() if one.population != "scanner-time"]
    load, backend = os.getloadavg()[0], int(await connection.fetchval("SELECT pg_backend_pid()"))
    first, found = await _timed(evaluated(question, every, counting))
    assert sum(one.counts.over for one in found) > exams
    before = time.process_time(), processor_seconds(backend) or 0.0
    took = [(await _timed(evaluated(question, every, counting)))[0] for _ in range(rounds)]
    python, postgres = time.process_time() - before[0], (processor_seconds(backend) or 0.0) - before[1]
    by_month, _ = await _timed(evaluated(question, every, counting, "month"))
    by_service = {}
    for name in dict.fromkeys(one.service for one in every):
        own = [one for one in every if one.service == name]
        by_service[name] = len(own), (await _timed(evaluated(question, own, counting)))[0]
    return Indicated(
        exams,
        *await _size(connection, "counted"),
        *await _size(connection, "counted_sum", "counted_month"),
        first,
        sorted(took)[rounds // 2],
        python / rounds,
        postgres / rounds,
        by_month,
        by_service,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        load,
    )


async def _timed(work: Awaitable[list[Evaluated]]) -> tuple[float, list[Evaluated]]:
    begun = time.perf_counter()
    found = await work
    return time.perf_counter() - begun, found


async def _size(connection: asyncpg.Connection, *tables: str) -> tuple[int, float]:
    """Rows of some tables, and megabytes with their indexes."""
    rows = [int(await connection.fetchval(f"SELECT count(*) FROM {table}")) for table in tables]
    size = [int(await connection.fetchval("SELECT pg_total_relation_size($1::regclass)", table)) for table in tables]
    return sum(rows), sum(size) / 1e6


def _number() -> int:
    return sum(one.population != "scanner-time" for one in definitions().values())
