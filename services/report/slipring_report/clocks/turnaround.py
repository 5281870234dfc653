"""How long reports took: by group the median, the 90th percentile, the share in time, how they are spread, week by week. Pure."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from statistics import median

from slipring.qc.proportion import Interval, wilson

# How a turnaround is spread: parts of the time that its clock allows; above 1 it was late.
BANDS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
SPANS = ("week", "month")


@dataclass(frozen=True, slots=True)
class Definition:
    """What a clock counts, in words, with the source of its figure."""

    zh: str
    en: str
    source: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Read:
    """One exam: since when its clock ran, by when it was due, and when its report was issued, if it was."""

    reference: str
    since: datetime
    due_at: datetime
    issued_at: datetime | None = None
    group: str = ""
    definition: Definition | None = None

    @property
    def part(self) -> float | None:
        """How much of the allowed time it took, working hours counted as the clock counts them; None without a report."""
        return None if self.issued_at is None else (self.issued_at - self.since) / (self.due_at - self.since)

    @property
    def minutes(self) -> float | None:
        """From the start of the clock to the issue, by the wall's clock; None while there is no report."""
        return None if self.issued_at is None else (self.issued_at - self.since) / timedelta(minutes=1)

    def late(self, now: datetime) -> bool:
        """Whether it was issued after its time, or is not issued though its time is over."""
        return (self.issued_at or now) > self.due_at


@dataclass(frozen=True, slots=True)
class Span:
    """What one week or month came to, by when the clock began: from one day until before another."""

    start: date
    end: date
    in_time: int
    late: int
    waiting: int

    @property
    def interval(self) -> Interval | None:
        """The share in time; None where nothing counts."""
        return wilson(self.in_time, self.in_time + self.late)


@dataclass(frozen=True, slots=True)
class Turnaround:
    """What one group came to. `share`: in time among all whose time is over or whose report is out; None of nobody."""

    group: str
    issued: int
    waiting: int  # not issued, and not late yet: they count in no share
    median: float | None
    p90: float | None
    in_time: tuple[str, ...]
    late: tuple[str, ...]
    spread: tuple[int, ...] = ()  # of those issued, how many in each of BANDS and beyond the last
    definitions: tuple[Definition, ...] = ()  # of the clocks that its readings had
    spans: tuple[Span, ...] = ()

    @property
    def interval(self) -> Interval | None:
        """The share in time with its interval."""
        return wilson(len(self.in_time), len(self.in_time) + len(self.late))

    @property
    def share(self) -> float | None:
        """The share that was in time; nobody at all is no data, not 0 %."""
        counted = len(self.in_time) + len(self.late)
        return len(self.in_time) / counted if counted else None


def turnarounds(
    reads: Iterable[Read], now: datetime, days: Sequence[tuple[date, date]] = (), zone: tzinfo = UTC
) -> list[Turnaround]:
    """Each group in the order of its name, and all of them under an empty name at the end; `days`: the spans of each."""
    every = list(reads)
    names = sorted({one.group for one in every})
    groups = [(name, [one for one in every if one.group == name]) for name in names]
    return [_of(name, members, now, days, zone) for name, members in [*groups, ("", every)]]


def spans_between(start: date, end: date, kind: str) -> list[tuple[date, date]]:
    """The weeks (from Monday) or months that touch the days from `start` until before `end`.

    >>> [str(day) for day, _ in spans_between(date(2026, 3, 4), date(2026, 3, 17), "week")]
    ['2026-03-02', '2026-03-09', '2026-03-16']
    >>> [str(day) for day, _ in spans_between(date(2026, 1, 31), date(2026, 3, 1), "month")]
    ['2026-01-01', '2026-02-01']
    """
    at = start - timedelta(days=start.weekday()) if kind == "week" else start.replace(day=1)
    found = []
    while at < end:
        following = at + timedelta(days=7) if kind == "week" else (at + timedelta(days=31)).replace(day=1)
        found.append((at, following))
        at = following
    return found


def percentile(values: Iterable[float], share: float) -> float | None:
    """The smallest value that so large a share of all does not exceed (nearest rank); None of none.

    >>> percentile([10, 20, 30, 40], 0.9)
    40
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def _of(name: str, members: list[Read], now: datetime, days: Sequence[tuple[date, date]], zone: tzinfo) -> Turnaround:
    took = [one.minutes for one in members if one.minutes is not None]
    late = [one.reference for one in members if one.late(now)]
    in_time = [one.reference for one in members if one.issued_at is not None and not one.late(now)]
    return Turnaround(
        group=name,
        issued=len(took),
        waiting=len(members) - len(late) - len(in_time),
        median=median(took) if took else None,
        p90=percentile(took, 0.9),
        in_time=tuple(in_time),
        late=tuple(late),
        spread=_spread(members),
        definitions=tuple(dict.fromkeys(one.definition for one in members if one.definition)),
        spans=tuple(_span(start, end, members, now, zone) for start, end in days),
    )


def _spread(members: list[Read]) -> tuple[int, ...]:
    counts = [0] * (len(BANDS) + 1)
    for one in members:
        if one.part is not None:
            counts[bisect_left(BANDS, one.part)] += 1
    return tuple(counts)


def _span(start: date, end: date, members: list[Read], now: datetime, zone: tzinfo) -> Span:
    within = [one for one in members if start <= one.since.astimezone(zone).date() < end]
    late = sum(one.late(now) for one in within)
    in_time = sum(one.issued_at is not None and not one.late(now) for one in within)
    return Span(start, end, in_time, late, len(within) - late - in_time)
