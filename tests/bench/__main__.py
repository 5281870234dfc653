"""`make bench`: the kernel's promises, measured in one run on one machine beside a bare echo and two rivals.

Writes docs/benchmarks.md. `ARGS="--resources 10000"` makes it short; `--page -` prints instead of writing;
`--only delivery` measures deliveries and timers alone and prints them, `--only worklist` the DICOM worklist,
`--only requests` CT requests through all rules, `--only checks` the checks of a report's text and signatures, `--only storm`
critical findings while providers fail, `--only standing` the steps of many open cases and a start among them, `--only indicators`
all indicators over a year of `--exams`, `--only phantoms` images of phantoms, `--phantoms` drawn ones. `--write` puts what a part
that was measured alone said into its own section of the page.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from slipring.runtime.postgres import stop

from tests.bench import delivering, interactions, ordering, ringing, rivals, searching, serving, starting
from tests.bench.page import Results, written
from tests.bench.parts import PARTS, Part, replaced

_PAGE = serving.ROOT / "docs" / "benchmarks.md"


def main() -> None:
    """Measure part by part, then write the page."""
    asked = _arguments()
    if asked.only == "delivery":
        _deliveries(asked)
        return
    if asked.only == "requests":
        _requests(asked)
        return
    if asked.only:
        _alone(PARTS[asked.only], asked)
        return
    load_before, begun_at = os.getloadavg()[0], datetime.now(UTC)
    conditions = interactions.Conditions(asked.connections, asked.seconds, asked.rounds)
    searches: list[searching.Found] = []
    if asked.resources:
        with _folder() as folder:
            searches = uvloop.run(searching.measure(folder, asked.resources, asked.seconds, _say))
    with _folder() as folder:
        starts = starting.measure(folder, asked.rounds)
        _say("; ".join(f"ready after {seconds:.1f} s, {held or 0:.0f} MB" for seconds, held in starts))
    with _folder() as folder:
        rounds, left_out = uvloop.run(interactions.measure(folder, conditions, _say))
        results = Results(conditions, rounds, left_out, searches, starts, begun_at=begun_at, load_before=load_before)
        try:
            results.pgbench = rivals.pgbench(folder, connections=asked.connections, seconds=asked.seconds)
        except (rivals.Unavailable, subprocess.SubprocessError) as reason:
            results.left_out["pgbench"] = str(reason)
    results.delivered = _deliveries(asked)
    results.requested = _requests(asked)
    results.told = [(part, _told(part, asked)) for part in PARTS.values()]
    page = written(results)
    if asked.page == "-":
        print(page)
    else:
        Path(asked.page).write_text(page, encoding="utf-8")
        _say(f"written: {asked.page}")


def _alone(part: Part, asked: argparse.Namespace) -> None:
    """One part: printed, and where asked for its section of the page written anew."""
    begun_at, load = datetime.now(UTC), os.getloadavg()[0]
    lines = _told(part, asked)
    if asked.write:
        loads = f"load average {load:.1f} before and {os.getloadavg()[0]:.1f} after"
        note = f"Measured alone on {begun_at:%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, {loads}."
        page = Path(asked.page)
        page.write_text(replaced(page.read_text(encoding="utf-8"), part, lines, note), encoding="utf-8")


def _deliveries(asked: argparse.Namespace) -> list[delivering.Spans]:
    """Deliveries and timers, each on a database of its own."""
    with _folder() as folder:
        found = uvloop.run(
            delivering.measure(folder, asked.rate, asked.delivery_seconds, asked.cases, asked.flags, _say)
        )
    with _folder() as folder:
        return found + uvloop.run(ringing.measure(folder, asked.cases, asked.delivery_seconds, _say))


def _told(part: Part, asked: argparse.Namespace) -> list[str]:
    """What a part said, as it is printed; the others are measured though one cannot be."""
    lines: list[str] = []

    def say(line: str) -> None:
        _say(line)
        lines.append(line)

    with _folder() as folder:
        try:
            part.measure(folder, asked, say)
        except (Exception, SystemExit) as reason:
            if asked.only:
                raise
            say(f"not measured: {type(reason).__name__}: {reason}")
    return lines


def _requests(asked: argparse.Namespace) -> list[ordering.Block]:
    """CT requests through all rules; promised: 200 a second without errors."""
    with _folder() as folder:
        return uvloop.run(
            ordering.measure(
                folder, connections=asked.connections, seconds=asked.seconds, rate=asked.request_rate,
                replicas=asked.replicas, say=_say,
            )
        )  # fmt: skip


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each block")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--resources", type=lambda text: [int(n) for n in text.split(",") if int(n)], default=[10_000, 100_000, 1_000_000],
        help="sizes for the searches, with commas; 0 leaves them out",
    )  # fmt: skip
    parser.add_argument(
        "--exams", type=lambda text: [int(n) for n in text.split(",")], default=[10_000, 100_000, 1_000_000],
        help="sizes for the indicators, with commas",
    )  # fmt: skip
    parser.add_argument("--phantoms", type=int, default=300, help="drawn images of phantoms")
    parser.add_argument("--rate", type=int, default=100, help="events a second that are delivered")
    parser.add_argument("--delivery-seconds", type=float, default=15.0, help="of each block of deliveries and timers")
    parser.add_argument("--cases", type=int, default=10_000, help="critical cases that are open, and timers armed")
    parser.add_argument("--storm-cases", type=int, default=1000, help="findings flagged within a minute in a storm")
    parser.add_argument("--storm-seconds", type=float, default=60.0, help="that they are flagged in")
    parser.add_argument("--steps-due", type=int, default=400, help="steps that fall due among the open cases")
    parser.add_argument("--flags", type=int, default=100, help="findings flagged among them")
    parser.add_argument(
        "--only",
        choices=["delivery", "requests", *PARTS],
        help="this part alone; nothing is written without --write",
    )
    parser.add_argument("--write", action="store_true", help="write the section of a part that is measured alone anew")
    parser.add_argument("--steps", type=int, default=5000, help="scheduled steps behind the worklist")
    parser.add_argument("--queries", type=int, default=30, help="of each kind that are asked of it")
    parser.add_argument("--replicas", type=int, default=0, help="processes of order for the requests; 0: all in one")
    parser.add_argument("--request-rate", type=float, default=200, help="requests a second by the clock; 0: none")
    parser.add_argument("--page", default=str(_PAGE))
    return parser.parse_args()


@contextmanager
def _folder() -> Iterator[Path]:
    """A data directory of its own, gone afterwards with its database."""
    folder = Path(tempfile.mkdtemp(prefix="slipring-bench-"))
    try:
        yield folder
    finally:
        stop(folder)
        shutil.rmtree(folder, ignore_errors=True)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
