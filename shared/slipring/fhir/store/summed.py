"""Sums of what indicators count by UTC day and month: which lie within what is asked, and the folding of what has come since.

A day that does not lie within a part of the period whole is counted from the rows themselves.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from slipring.qc.indicators.asked import Asked

_TENS = (
    1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.8, 2, 2.2, 2.4, 2.7, 3, 3.3, 3.6, 4, 4.5, 4.8, 5, 5.5, 6, 6.5, 7, 8, 9,
)  # fmt: skip
# The bounds of steps, rising, as `counted_step` of migration 0019 has them: a value is in the first that it does not exceed.
STEPS = tuple(float(f"{one}e{power}") for power in range(-2, 6) for one in _TENS)
_DAY, _BEGIN = timedelta(days=1), datetime.min.replace(tzinfo=UTC)
_TOGETHER = 500  # days of populations folded in one statement
_TABLES = ("counted_sum", "counted_month")
# Whoever folds takes rows away and puts their sum in their place in one statement: no reader sees one without the other,
# and of two who fold at once the second finds the rows gone.
_FOLD = f"""WITH loose AS (SELECT DISTINCT population, day FROM {{table}} WHERE NOT folded LIMIT {_TOGETHER}),
  taken AS (DELETE FROM {{table}} s USING loose l WHERE s.population = l.population AND s.day = l.day RETURNING s.*),
  whole AS (INSERT INTO {{table}} (population, day, marks, step, members, first, second, folded)
    SELECT population, day, marks, step, sum(members), sum(first), sum(second), true FROM taken
    GROUP BY population, day, marks, step HAVING sum(members) <> 0 OR sum(first) <> 0 OR sum(second) <> 0)
  SELECT count(*) FROM loose"""


@dataclass(slots=True)
class Parts:
    """A period cut up: UTC months and days whose sums are kept, and what lies beside them; each with the span it is of.

    `less`: days that lie in the months and not in the period.
    """

    months: list[tuple[date, date, datetime | None]] = field(default_factory=list)
    days: list[tuple[date, date, datetime | None]] = field(default_factory=list)
    less: list[tuple[date, date, datetime | None]] = field(default_factory=list)
    beside: list[tuple[datetime, datetime, datetime | None]] = field(default_factory=list)


def is_summed(asked: Asked, bounds: Sequence[float] = (), per: str = "") -> bool:
    """Whether the sums can tell: they know no part of the department, no part of a step, and no day of the department."""
    apart = asked.scanner or asked.requesters is not None or asked.system
    return not apart and per != "day" and all(is_step(one) for one in bounds)


def is_step(bound: float) -> bool:
    """Whether a bound parts two steps."""
    place = bisect_left(STEPS, bound)
    return place < len(STEPS) and STEPS[place] == bound


def parts(asked: Asked, per: str, zone: ZoneInfo) -> Parts:
    """The parts of what is asked; `per`: by the month or week of the department's time."""
    found = Parts()
    for low, high, span in _spans(asked.start.astimezone(UTC), asked.end.astimezone(UTC), per, zone):
        first, last = (
            -((_BEGIN - low) // _DAY),
            (high - _BEGIN) // _DAY,
        )  # the first that begins after low, the last that ends before high
        if first >= last:
            found.beside.append((low, high, span))
            continue
        begin, end = date.min + first * _DAY, date.min + last * _DAY
        _cut(found, begin, end, span)
        edges = (low, datetime.combine(begin, time(), UTC)), (datetime.combine(end, time(), UTC), high)
        found.beside += [(one, other, span) for one, other in edges if one < other]
    return found


def _cut(found: Parts, begin: date, end: date, span: datetime | None) -> None:
    """Days by their months; a month of which the smaller part lies outside is told less that part."""
    first = begin.replace(day=1)
    while first < end:
        following = _following(first)
        low, high = max(first, begin), min(following, end)
        outside = [(one, other, span) for one, other in ((first, low), (high, following)) if one < other]
        if sum((other - one for one, other, _ in outside), timedelta()) < high - low:
            found.months.append((first, following, span))
            found.less += outside
        else:
            found.days.append((low, high, span))
        first = following


def _following(month: date) -> date:
    return (month.replace(day=28) + 4 * _DAY).replace(day=1)


def _spans(
    start: datetime, end: datetime, per: str, zone: ZoneInfo
) -> Iterator[tuple[datetime, datetime, datetime | None]]:
    if not per:
        yield start, end, None
        return
    low = start
    while low < end:
        day = low.astimezone(zone).date()
        day = day.replace(day=1) if per == "month" else day - day.weekday() * _DAY
        following = _following(day) if per == "month" else day + 7 * _DAY
        high = min(end, datetime.combine(following, time(), zone).astimezone(UTC))
        yield low, high, datetime.combine(day, time())
        low = high


async def fold(pool: asyncpg.Pool) -> bool:
    """Put one row in the place of many of the same day or month; True when there may be more to fold."""
    return _TOGETHER in [await pool.fetchval(_FOLD.format(table=table)) for table in _TABLES]
