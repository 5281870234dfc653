"""When a test is due: by A011 and by the standard, the stricter interval applied and both kept (5.6.2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from slipring.rules.finding import Limit
from slipring.rules.months import months_later


@dataclass(frozen=True, slots=True)
class Interval:
    """The interval that is applied, and all that ask for one; `value` of each in calendar months."""

    applied: Limit
    asked: tuple[Limit, ...]

    @property
    def months(self) -> int:
        """Calendar months between two tests."""
        return int(self.applied.value)


def stricter(asked: Sequence[Limit | None]) -> Interval | None:
    """The shortest of the intervals asked for; of equal ones the first, which is A011's. None where nobody asks."""
    known = tuple(one for one in asked if one is not None)
    return Interval(min(known, key=lambda one: int(one.value)), known) if known else None


def due_on(passed_on: date, months: int, grace_days: int = 0) -> date:
    """The last day on which the test may still be made: calendar months, clamped to the month's end, then the grace.

    >>> due_on(date(2026, 1, 31), 1)
    datetime.date(2026, 2, 28)
    """
    return months_later(passed_on, months) + timedelta(days=grace_days)
