"""Scheduled time cut where a scanner could not be used, as rows that an indicator counts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise

from slipring.qc.indicators.asked import Asked, Member
from slipring.qc.indicators.row import counted
from slipring.qc.indicators.score import Group

_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some time of one scanner: scheduled and available, or down for a reason."""

    scanner: str
    start: datetime
    end: datetime
    down_by: str = ""  # the Appointment, or the Device itself, that says it was down

    @property
    def minutes(self) -> int:
        """How long it is."""
        return round((self.end - self.start) / _MINUTE)


def cut(scheduled: Iterable[Stretch], down: Sequence[Stretch]) -> list[Stretch]:
    """The scheduled stretches in parts: down where any of `down` says so, the first that does being the reason.

    >>> from datetime import UTC
    >>> at = lambda hour: datetime(2026, 3, 4, hour, tzinfo=UTC)
    >>> [(one.minutes, one.down_by) for one in cut([Stretch("d", at(8), at(18))], [Stretch("d", at(7), at(9), "a")])]
    [(60, 'a'), (540, '')]
    """
    found = []
    for span in scheduled:
        own = [one for one in down if one.scanner == span.scanner and one.start < span.end and one.end > span.start]
        edges = {
            span.start,
            span.end,
            *(at for one in own for at in (one.start, one.end) if span.start < at < span.end),
        }
        ordered = sorted(edges)
        for start, end in pairwise(ordered):
            reason = next((one.down_by for one in own if one.start <= start and end <= one.end), "")
            found.append(Stretch(span.scanner, start, end, reason))
    return found


@dataclass(frozen=True, slots=True)
class Reckoned:
    """Implements `slipring.qc.indicators.asked.Counting` over stretches, a minute being what is counted."""

    stretches: Sequence[Stretch]
    zone: tzinfo

    async def groups(self, asked: Asked, bounds: Sequence[float] = (), per: str = "") -> list[Group]:
        """Scheduled minutes, told apart by whether the scanner was available."""
        sums: dict[tuple[str, str], list[int]] = {}
        for one in self._within(asked):
            row = counted(
                "scanner-time",
                one.down_by or one.scanner,
                one.start,
                _marks(one),
                value=one.minutes,
                scanner=one.scanner,
            )
            held = sums.setdefault((row.marks, _span(one.start.astimezone(self.zone), per)), [0, 0, 0])
            for place, value in enumerate((one.minutes, row.first, row.second)):
                held[place] += value
        return [
            Group(marks, "", 0, False, count, first, second, span)
            for (marks, span), (count, first, second) in sorted(sums.items())
        ]

    async def members(
        self, asked: Asked, of: Sequence[Group], bounds: Sequence[float] = (), *, limit: int, offset: int = 0
    ) -> list[Member]:
        """The scanners that were available, or what took them out of use, each stretch with its minutes."""
        marks = {one.marks for one in of}
        found = [one for one in self._within(asked) if " ".join(sorted(_marks(one))) in marks]
        ordered = sorted(found, key=lambda one: (one.start, one.scanner))[offset : offset + limit]
        return [Member(one.down_by or one.scanner, one.start, one.minutes) for one in ordered]

    async def quantiles(self, asked: Asked, of: Sequence[Group], shares: Sequence[float]) -> list[float]:
        """No values are told of scanners' time."""
        return []

    def _within(self, asked: Asked) -> list[Stretch]:
        return [one for one in self.stretches if asked.scanner in ("", one.scanner) and one.minutes]


def _marks(one: Stretch) -> list[str]:
    return ["scheduled"] if one.down_by else ["available", "scheduled"]


def _span(at: datetime, per: str) -> str:
    """The first day of the month, week or day that a moment lies in."""
    if not per:
        return ""
    back = {"month": at.day - 1, "week": at.weekday(), "day": 0}[per]
    return (at.date() - timedelta(days=back)).isoformat()
