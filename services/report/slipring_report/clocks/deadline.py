"""By when a report is due: a clock, the moments of the exam and the working calendar give one deadline. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from slipring.rules.calendar import Calendar

from slipring_report.clocks.policy import Clock


@dataclass(frozen=True, slots=True)
class Moments:
    """When an exam was asked for, begun and ended; what is not known is None."""

    acquired: datetime
    started: datetime | None = None
    requested: datetime | None = None


@dataclass(frozen=True, slots=True)
class Deadline:
    """A clock that runs: since when, when it warns, when it is due, and which years' holidays it did not know."""

    clock: Clock
    since: datetime
    warn_at: datetime
    due_at: datetime
    uncovered: tuple[int, ...] = ()


def deadline(clock: Clock, moments: Moments, calendar: Calendar, zone: ZoneInfo) -> Deadline:
    """The deadline; a clock whose moment nobody knows runs from the end of the exam."""
    since = {"started": moments.started, "requested": moments.requested}.get(clock.since) or moments.acquired
    if clock.hours == "always":
        due = since + timedelta(minutes=clock.minutes)
        return Deadline(clock, since, due - timedelta(minutes=clock.warn), due)
    due = calendar.after(since, clock.minutes, zone)
    warn = calendar.after(since, clock.minutes - clock.warn, zone)
    return Deadline(clock, since, warn, due, calendar.uncovered(since, due, zone))
