"""The period of a verdict, as people write it (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

_LONGEST_DAYS = 400
_QUARTER = re.compile(r"(\d{4})-Q([1-4])")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_YEAR = re.compile(r"(\d{4})")


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days of the department, both ends counted."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if not self.first <= self.last or (self.last - self.first).days >= _LONGEST_DAYS:
            raise ValueError(f"{self.first}..{self.last} is no period of 1 to {_LONGEST_DAYS} days")

    def span(self, zone: tzinfo) -> tuple[datetime, datetime]:
        """Its first moment, and the first one after it."""
        after = self.last + timedelta(days=1)
        return datetime.combine(self.first, time(), zone), datetime.combine(after, time(), zone)

    def __str__(self) -> str:
        return f"{self.first}..{self.last}"


def quarter_of(day: date) -> Period:
    """The quarter of the calendar that a day lies in."""
    return _months(day.year, 3 * ((day.month - 1) // 3) + 1, 3)


def read_period(text: str) -> Period:
    """`2026-Q3`, `2026-07`, `2026` or `2026-01-01..2026-03-31`; ValueError for anything else.

    >>> str(read_period("2026-Q3"))
    '2026-07-01..2026-09-30'
    """
    if match := _QUARTER.fullmatch(text):
        return _months(int(match[1]), 3 * int(match[2]) - 2, 3)
    if match := _MONTH.fullmatch(text):
        return _months(int(match[1]), int(match[2]), 1)
    if match := _YEAR.fullmatch(text):
        return _months(int(match[1]), 1, 12)
    first, dots, last = text.partition("..")
    if not dots:
        raise ValueError(f"{text} is no quarter, month, year or span of days")
    return Period(date.fromisoformat(first), date.fromisoformat(last))


def _months(year: int, month: int, count: int) -> Period:
    after = month + count - 1
    following = date(year + after // 12, after % 12 + 1, 1)
    return Period(date(year, month, 1), following - timedelta(days=1))
