"""The parts of a bench that tell what they measured line by line: each is asked for alone by its name, and has its section of the page."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvloop

from tests.bench import checking, indicating, phantoms, standing, storm, worklist

Say = Callable[[str], None]


@dataclass(frozen=True)
class Part:
    """One part: its heading, what a reader must know of it, and how it is measured in a folder of its own."""

    title: str
    about: str
    measure: Callable[[Path, Namespace, Say], object]


def _worklist(folder: Path, asked: Namespace, say: Say) -> None:
    for took in uvloop.run(worklist.measure(folder, asked.steps, asked.queries, say)):
        say(
            f"{took.asked_for:22} {took.entries:4} entries  p50 {took.p50_ms:6.1f} ms  p99 {took.p99_ms:6.1f} ms, "
            f"of it the asker's own work {took.asker_ms:5.1f} ms"
        )


def _checks(folder: Path, asked: Namespace, say: Say) -> None:
    checking.measure(folder, say)


def _storm(folder: Path, asked: Namespace, say: Say) -> None:
    uvloop.run(storm.measure(folder, asked.storm_cases, asked.storm_seconds, say))


def _standing(folder: Path, asked: Namespace, say: Say) -> None:
    uvloop.run(standing.measure(folder, asked.cases, asked.steps_due, 20, say))


def _indicators(folder: Path, asked: Namespace, say: Say) -> None:
    uvloop.run(indicating.measure(folder, asked.exams, asked.rounds, say))


def _phantoms(folder: Path, asked: Namespace, say: Say) -> None:
    phantoms.measure(folder, asked.phantoms, say)


# By the name that `--only` takes, in the order of the page.
PARTS: Mapping[str, Part] = {
    "worklist": Part(
        "DICOM worklist", "Real associations over many scheduled steps. Promised: <= 100 ms for a query.", _worklist
    ),
    "checks": Part(
        "Checks of a report's text, and signatures",
        "Processor time of one core, the quickest of some rounds.",
        _checks,
    ),
    "storm": Part(
        "A storm of critical findings",
        "Flagged within a minute while half of the providers fail and one hangs. Promised: none is never told, and the urgent "
        "are told first.",
        _storm,
    ),
    "standing": Part(
        "Many open cases",
        "Steps that fall due one after the other among open cases with their deadlines armed, and a start among them. "
        "Promised: a step's lateness p99 <= 300 ms.",
        _standing,
    ),
    "indicators": Part(
        "All indicators over a year of exams",
        "Rows as the services write them, evaluated over the whole year and by month. Aim: 2 s over a million exams.",
        _indicators,
    ),
    "phantoms": Part(
        "Images of phantoms",
        "Values against the truth of drawn phantoms, and beside pylinac where PYLINAC_PYTHON names the Python of its "
        "environment. Aim: 20 ms an image.",
        _phantoms,
    ),
}


def sections(told: Sequence[tuple[Part, Sequence[str]]]) -> list[str]:
    """The lines of the page: each part with what it said, as a run of `--only` prints it; tables as tables."""
    return [line for part, lines in told for line in ("", f"## {part.title}", "", part.about, "", *_shown(lines))]


def _shown(lines: Sequence[str]) -> Sequence[str]:
    return lines if any(line.startswith("|") for line in lines) else ("```text", *lines, "```")


def replaced(page: str, part: Part, lines: Sequence[str], note: str) -> str:
    """The page with the section of one part written anew, where it was or at the end; `note`: when and on what it was measured."""
    own = "\n".join(sections([(part, [*lines, "", note])])).strip("\n") + "\n"
    before, heading, rest = f"{page.rstrip()}\n\n".partition(f"## {part.title}\n")
    _, following, after = rest.partition("\n## ")
    return f"{before}{own}" + (f"\n## {after.rstrip()}\n" if heading and following else "")
