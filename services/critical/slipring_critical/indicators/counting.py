"""How critical findings were told: every indicator from the cases of a period, with whoever falls out of it by name. Pure.

The clock starts when the finding is recognised (national indicator 4), stops when the read-back fits. Drills count nowhere.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from functools import cache
from math import comb, sqrt
from pathlib import Path
from typing import Any

from slipring.qc.proportion import LEVEL, wilson

from slipring_critical.cases.facts import CaseFacts
from slipring_critical.ladders.ladder import nobody_reached

_Z = 1.959963984540054  # of the 95 % interval
_FILE = Path(__file__).parents[1] / "data" / "indicators.toml"


@dataclass(frozen=True, slots=True)
class Share:
    """A share of cases; `cases` are those that a reader looks into: who fell out of it, or what it is about."""

    code: str
    numerator: int
    denominator: int
    cases: tuple[str, ...]

    @property
    def bounds(self) -> tuple[float, float, float] | None:
        """The share with its 95 % Wilson interval, from 0 to 1; None where there was nothing."""
        found = wilson(self.numerator, self.denominator)
        return (found.rate, found.low, found.high) if found else None


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in every hundred of something else, which may be more than a hundred; with its 95 % interval."""

    code: str
    count: int
    of: int

    @property
    def bounds(self) -> tuple[float, float, float] | None:
        """Value and interval per hundred; None where there was nothing to count in.

        Byar's approximation of the exact Poisson limits (Breslow and Day, Statistical Methods in Cancer Research II, 1987, 2.3).
        """
        if not self.of:
            return None
        above = self.count + 1
        low = self.count * (1 - 1 / (9 * self.count) - _Z / (3 * sqrt(self.count))) ** 3 if self.count else 0.0
        high = above * (1 - 1 / (9 * above) + _Z / (3 * sqrt(above))) ** 3
        return 100 * self.count / self.of, 100 * low / self.of, 100 * high / self.of


@dataclass(frozen=True, slots=True)
class Ring:
    """One message that reached somebody: who, when, and by which step of which case."""

    who: str
    at: datetime
    case: str
    step: int


@dataclass(frozen=True, slots=True)
class Minutes:
    """A median in minutes with its 95 % interval by order statistics; None where too few were there."""

    code: str
    count: int
    median: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Period:
    """What is counted: cases without drills, which messages reached persons, and which exams there were."""

    cases: Sequence[CaseFacts]
    rings: Sequence[Ring]
    both_sides: frozenset[str]  # cases whose record names sender, receiver and the time of the receipt
    exams: frozenset[str]  # the requests of the period that were not taken back


@cache
def figures() -> Mapping[str, Any]:
    """The numbers in force."""
    return tomllib.loads(_FILE.read_text("utf-8"))


def told_at(case: CaseFacts) -> datetime | None:
    """When somebody first read the finding back."""
    return next((event.at for event in case.events if event.what == "read-back-confirmed"), None)


def recognised_at(case: CaseFacts) -> datetime:
    """When the clock started."""
    return case.events[0].at


def shares(period: Period, now: datetime) -> list[Share]:
    """Every share of the period."""
    within = timedelta(minutes=figures()["told-in-time"]["minutes"])
    # A case that is not told yet is late once its time is over; before that nobody knows.
    due = [c for c in period.cases if told_at(c) or (c.state != "retracted" and now - recognised_at(c) > within)]
    # Told is what both sides have on record (national indicator 4).
    late = [
        c
        for c in due
        if (told_at(c) or now) - recognised_at(c) > within or (told_at(c) and c.reference not in period.both_sides)
    ]
    told = [c for c in period.cases if told_at(c)]
    one_sided = [c for c in told if c.reference not in period.both_sides]
    unreached = [c for c in period.cases if _ever_unreachable(c)]
    escalated = [c for c in period.cases if _climbed(c)]
    acted = [c for c in period.cases if _has(c, "acted")]
    unneeded = [c for c in acted if _has(c, "judged-unneeded")]
    return [
        Share("told-in-time", len(due) - len(late), len(due), _names(late)),
        Share("both-sides-recorded", len(told) - len(one_sided), len(told), _names(one_sided)),
        Share("unreachable", len(unreached), len(period.cases), _names(unreached)),
        Share("escalated", len(escalated), len(period.cases), _names(escalated)),
        Share("unneeded", len(unneeded), len(acted), _names(unneeded)),
        Share("flagged-exams", len({c.request for c in period.cases} & period.exams), len(period.exams), ()),
    ]


def rates(period: Period) -> list[Rate]:
    """How often exams are flagged at all: every finding of an exam is a flag, an exam with two counts twice."""
    return [Rate("flags-per-100-exams", sum(c.request in period.exams for c in period.cases), len(period.exams))]


def medians(period: Period) -> list[Minutes]:
    """How long it took: to be told, and from then to what was done."""
    told, acted = [], []
    for case in period.cases:
        at = told_at(case)
        done = next((event.at for event in case.events if event.what == "acted"), None)
        told += [(at - recognised_at(case)) / timedelta(minutes=1)] if at else []
        acted += [(done - at) / timedelta(minutes=1)] if at and done else []
    return [_median("minutes-to-told", told), _median("minutes-to-acted", acted)]


def night_rings(period: Period, zone: tzinfo) -> list[tuple[str, int]]:
    """How often each person was rung at night, the most first; one step by several routes rings him once."""
    night = figures()["night"]
    begins, ends = night["from-hour"], night["to-hour"]
    woken = {
        (ring.who, ring.case, ring.step)
        for ring in period.rings
        if _between(ring.at.astimezone(zone).hour, begins, ends)
    }
    counted = Counter(who for who, _, _ in woken)
    return sorted(counted.items(), key=lambda one: (-one[1], one[0]))


def _median(code: str, values: Sequence[float]) -> Minutes:
    """The middle value, and the order statistics that hold the true one in at least 95 of 100 samples (binomial)."""
    ordered = sorted(values)
    count = len(ordered)
    if not ordered:
        return Minutes(code, 0, None, None, None)
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    rank, below = 0, 0.0
    while rank < count // 2 and 1 - 2 * (below + comb(count, rank) / 2**count) >= LEVEL:
        below += comb(count, rank) / 2**count
        rank += 1
    if rank == 0:  # too few to say so much
        return Minutes(code, count, middle, None, None)
    return Minutes(code, count, middle, ordered[rank - 1], ordered[count - rank])


def _ever_unreachable(case: CaseFacts) -> bool:
    history = case.history
    return any(nobody_reached(case.policy, history[:length]) for length in range(1, len(history) + 1))


def _between(hour: int, begins: int, ends: int) -> bool:
    return begins <= hour or hour < ends if begins > ends else begins <= hour < ends


def _climbed(case: CaseFacts) -> bool:
    """Whether it went beyond the first step, by whatever ladder."""
    return any(event.what == "step" and (event.round, event.step) != (1, 1) for event in case.events)


def _has(case: CaseFacts, what: str) -> bool:
    return any(event.what == what for event in case.events)


def _names(cases: Sequence[CaseFacts]) -> tuple[str, ...]:
    return tuple(case.reference for case in cases)
