"""How often the CT diagnosis agrees with pathology and clinic, per body system (5.6.2.3): values without FHIR. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from slipring.qc.proportion import Interval, wilson

AGAINST = ("pathology", "clinical")


@dataclass(frozen=True, slots=True)
class Assessed:
    """One report held against one reference."""

    reference: str  # the record of it
    report: str
    system: str
    against: str
    grade: str
    at: datetime
    cause: str = ""
    measure: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One body system against one kind of reference in a period."""

    system: str
    against: str
    members: tuple[Assessed, ...]
    numerator: int
    interval: Interval | None  # None: there is no case, which is neither 0 nor 100 %
    grades: Mapping[str, int]
    causes: Mapping[tuple[str, str], int]  # (cause, measure) -> cases that are not concordant
    released: int  # reports of the system that were released in the period
    without: int  # of them, those that nobody has held against such a reference

    @property
    def denominator(self) -> int:
        """The cases with a reference."""
        return len(self.members)


def rows(
    assessed: Iterable[Assessed],
    released: Mapping[str, Collection[str]],
    systems: Iterable[str],
    counts: Collection[str],
) -> list[Row]:
    """A row for each system and kind of reference, also where there is no case; `released`: reports by system.

    Of several records on one report and kind the newest counts.
    """
    newest: dict[tuple[str, str], Assessed] = {}
    for one in sorted(assessed, key=lambda each: (each.at, each.reference)):
        newest[one.report, one.against] = one
    return [
        _row(system, against, list(newest.values()), released.get(system, ()), counts)
        for system in systems
        for against in AGAINST
    ]


def _row(system: str, against: str, every: list[Assessed], released: Collection[str], counts: Collection[str]) -> Row:
    members = tuple(one for one in every if (one.system, one.against) == (system, against))
    held = {one.report for one in every if one.against == against}
    agreed = sum(one.grade in counts for one in members)
    return Row(
        system=system,
        against=against,
        members=members,
        numerator=agreed,
        interval=wilson(agreed, len(members)),
        grades=Counter(one.grade for one in members),
        causes=Counter((one.cause, one.measure) for one in members if one.cause),
        released=len(set(released)),
        without=len(set(released) - held),
    )
