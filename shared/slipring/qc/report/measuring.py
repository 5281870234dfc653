"""How well the checks find what people marked: precision and recall for each class."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from slipring.qc.report.checking import checked
from slipring.qc.report.facts import Checked
from slipring.qc.report.records import read_record


@dataclass(frozen=True, slots=True)
class Tally:
    """Marks found, found without a mark, and missed."""

    hit: int = 0
    extra: int = 0
    missed: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.hit + other.hit, self.extra + other.extra, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """The share of what was found that is marked; 1 where nothing was found."""
        found = self.hit + self.extra
        return self.hit / found if found else 1.0

    @property
    def recall(self) -> float:
        """The share of the marks that was found; 1 where nothing is marked."""
        marked = self.hit + self.missed
        return self.hit / marked if marked else 1.0


@dataclass(frozen=True, slots=True)
class Measured:
    """The tallies of one set of marked reports, each class by name, and how many marks were met in place."""

    classes: Mapping[str, Tally]
    in_place: int = 0
    placed: int = 0
    false_alarms_on_clean: int = 0
    clean: int = 0

    def all(self, names: Iterable[str]) -> Tally:
        """The tally over several classes."""
        return sum((self.classes.get(name, Tally()) for name in names), Tally())


def measured(lines: Iterable[str]) -> Measured:
    """Measure marked records: `expect` beside each report, as the corpus of this project writes it.

    A critical finding counts by code and certainty, a fault by check and section; places are counted apart, by overlap.
    """
    classes: dict[str, Tally] = {}
    in_place = placed = alarms = clean = 0
    for line in lines:
        record = json.loads(line)
        answer = checked(read_record(line)[1])
        wanted, found = _marked(record), _found(answer)
        for name in {name for name, _ in wanted | found}:
            classes[name] = classes.get(name, Tally()) + _tally(name, wanted, found)
        met, all_of = _places(record, answer)
        in_place, placed = in_place + met, placed + all_of
        if not wanted:
            clean += 1
            alarms += bool(found)
    return Measured(classes, in_place, placed, alarms, clean)


def _tally(name: str, wanted: set[tuple[str, str]], found: set[tuple[str, str]]) -> Tally:
    marks = {mark for mark in wanted if mark[0] == name}
    got = {mark for mark in found if mark[0] == name}
    return Tally(len(marks & got), len(got - marks), len(marks - got))


def _marked(record: dict[str, Any]) -> set[tuple[str, str]]:
    expect = record["expect"]
    critical = {(one["code"], one["certainty"]) for one in expect["critical"]}
    return critical | {(one["check"], one["section"]) for one in expect["checks"]}


def _found(answer: Checked) -> set[tuple[str, str]]:
    critical = {(one.code, one.certainty) for one in answer.critical}
    return critical | {(one.check, one.section) for one in answer.faults}


def _places(record: dict[str, Any], answer: Checked) -> tuple[int, int]:
    """How many marked wordings a fault of that check overlaps, of those whose check was found at all."""
    met = found = 0
    for mark in record["expect"]["checks"]:
        same = [one for one in answer.faults if (one.check, one.section) == (mark["check"], mark["section"])]
        if not mark["text"] or not same:
            continue
        start = -1
        for _ in range(mark.get("nth", 1)):
            start = record["sections"][mark["section"]].index(mark["text"], start + 1)
        found += 1
        met += any(one.start < start + len(mark["text"]) and one.end > start for one in same)
    return met, found


def as_table(halves: Mapping[str, Measured], names: Iterable[str]) -> str:
    """A Markdown table: for each class its precision, recall and marks in each set."""
    titles = list(halves)
    lines = ["| class | " + " | ".join(f"{title} P | {title} R | marks" for title in titles) + " |"]
    lines.append("|---|" + "---|" * (3 * len(titles)))
    for name in names:
        cells = []
        for title in titles:
            tally = halves[title].classes.get(name, Tally())
            cells.append(f"{tally.precision:.2f} | {tally.recall:.2f} | {tally.hit + tally.missed}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
