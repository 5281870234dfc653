"""How long reports took: by group the median, the 90th percentile and the share in time, with the readings behind. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median


@dataclass(frozen=True, slots=True)
class Read:
    """One exam: since when its clock ran, by when it was due, and when its report was issued, if it was."""

    reference: str
    since: datetime
    due_at: datetime
    issued_at: datetime | None = None
    group: str = ""

    @property
    def minutes(self) -> float | None:
        """From the start of the clock to the issue, by the wall's clock; None while there is no report."""
        return None if self.issued_at is None else (self.issued_at - self.since) / timedelta(minutes=1)

    def late(self, now: datetime) -> bool:
        """Whether it was issued after its time, or is not issued though its time is over."""
        return (self.issued_at or now) > self.due_at


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

    @property
    def share(self) -> float | None:
        """The share that was in time; nobody at all is no data, not 0 %."""
        counted = len(self.in_time) + len(self.late)
        return len(self.in_time) / counted if counted else None


def turnarounds(reads: Iterable[Read], now: datetime) -> list[Turnaround]:
    """Each group in the order of its name, and all of them under an empty name at the end."""
    every = list(reads)
    names = sorted({one.group for one in every})
    return [*(_of(name, [one for one in every if one.group == name], now) for name in names), _of("", every, now)]


def percentile(values: Iterable[float], share: float) -> float | None:
    """The smallest value that so large a share of all does not exceed (nearest rank); None of none.

    >>> percentile([10, 20, 30, 40], 0.9)
    40
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def _of(name: str, members: list[Read], now: datetime) -> Turnaround:
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
    )
