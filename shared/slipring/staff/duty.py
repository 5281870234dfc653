"""When a person works on which duty, when he was away, and from when on he must be trained and assessed anew (5.1.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from slipring.rules.months import months_later

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A period in whole days; an open side is None."""

    start: date | None
    end: date | None

    def covers(self, day: date) -> bool:
        """Whether the day lies in the period, both ends included."""
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class Return:
    """Work that began anew: on which day, and after what (`away` or `change-of-duty`)."""

    on: date
    after: str


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same days in as few periods as possible, in order: what touches or overlaps is one."""
    ordered = sorted(spans, key=lambda span: span.start or date.min)
    found: list[Span] = []
    for span in ordered:
        last = found[-1] if found else None
        if last is None or (last.end is not None and (span.start or date.min) > last.end + _ONE_DAY):
            found.append(span)
        elif last.end is not None:
            found[-1] = Span(last.start, None if span.end is None else max(last.end, span.end))
    return found


def returns(
    duties: Mapping[str, Sequence[Span]], leaves: Sequence[Span], duty: str, day: date, *, months: int
) -> list[Return]:
    """Each time up to `day` that the person took a duty up after being away for `months`, or after another duty."""
    found = [Return(back, "away") for back in (_back(leave, months) for leave in joined(leaves)) if back]
    stints = joined(duties.get(duty, ()))
    found += [
        Return(after.start, "away")
        for before, after in pairwise(stints)
        if before.end and after.start and not _elsewhere(duties, duty, after.start) and _long(before.end, after, months)
    ]
    found += [
        Return(stint.start, "change-of-duty")
        for stint in stints
        if stint.start and _elsewhere(duties, duty, stint.start)
    ]
    return sorted((one for one in found if one.on <= day), key=lambda one: one.on)


def _back(leave: Span, months: int) -> date | None:
    """The first day at work after a leave that lasted so many months; None when it was shorter or goes on."""
    if leave.end is None or leave.end == date.max:
        return None
    back = leave.end + _ONE_DAY
    return back if leave.start is not None and back >= months_later(leave.start, months) else None


def _long(ended: date, after: Span, months: int) -> bool:
    return after.start is not None and after.start >= months_later(ended + _ONE_DAY, months)


def _elsewhere(duties: Mapping[str, Sequence[Span]], duty: str, day: date) -> bool:
    """Whether the person had another duty before this day, and not this one up to it."""
    return any(
        span.start is not None and span.start < day
        for other, spans in duties.items()
        if other != duty
        for span in spans
    )
