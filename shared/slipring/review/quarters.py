"""Quarters of a year, as figures are told by. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

from slipring.department.road import Tree

_NAMED = re.compile(r"(\d{4})-Q([1-4])", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """One quarter; `number` from 1 to 4.

    >>> Quarter(2026, 1).before(1).name, Quarter(2026, 4).last.isoformat()
    ('2025-Q4', '2026-12-31')
    """

    year: int
    number: int

    @property
    def name(self) -> str:
        """Such as 2026-Q3."""
        return f"{self.year}-Q{self.number}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return self.before(-1).first - timedelta(days=1)

    @property
    def period(self) -> Tree:
        """As an operation is asked about it."""
        return {
            "name": "period",
            "valuePeriod": {"start": self.first.isoformat(), "end": self.last.isoformat()},
        }

    def before(self, count: int) -> Quarter:
        """So many quarters earlier."""
        years, number = divmod(self.year * 4 + self.number - 1 - count, 4)
        return Quarter(years, number + 1)


def quarter_of(day: date) -> Quarter:
    """The quarter that a day is in."""
    return Quarter(day.year, (day.month + 2) // 3)


def quarter_named(text: str, today: date) -> Quarter:
    """A quarter by its name, from the year 2000 until today's; today's for anything else.

    >>> quarter_named("2026-Q2", date(2026, 11, 26)).name, quarter_named("1066-Q1", date(2026, 11, 26)).name
    ('2026-Q2', '2026-Q4')
    """
    now, named = quarter_of(today), _NAMED.fullmatch(text)
    found = Quarter(int(named[1]), int(named[2])) if named else now
    return found if Quarter(2000, 1) <= found <= now else now
