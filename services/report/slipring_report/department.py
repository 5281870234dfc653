"""What the department has set for the reading room: its zone, its calendar, its clocks and its numbers as of a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from slipring.fhir.service import Desk, Stored
from slipring.rules.calendar import Calendar, calendar
from slipring.rules.finding import Limit
from slipring.rules.limits import LimitBook

from slipring_report.clocks.policy import policy_on
from slipring_report.settings import ReportSettings


def zone_of(desk: Desk) -> ZoneInfo:
    """The department's time zone."""
    return ZoneInfo(desk.settings.time_zone)


def today(desk: Desk) -> date:
    """The day it is in the department."""
    return desk.now.astimezone(zone_of(desk)).date()


def calendar_of(desk: Desk) -> Calendar:
    """The working calendar."""
    return calendar(desk.settings.calendar)


def limit_of(desk: Desk, name: str) -> Limit:
    """One number of the reading room's work as it stands today."""
    return limit_on(desk.now, desk.settings, name)


def limit_on(moment: datetime, settings: ReportSettings, name: str) -> Limit:
    """One number of the reading room's work as it stood at a moment."""
    return _book().limit(name, on=moment.astimezone(ZoneInfo(settings.time_zone)).date())


def unconfirmed(now: datetime, approved: Sequence[Stored]) -> list[Limit]:
    """The numbers that wait for a named person of the department: clocks first."""
    settings = ReportSettings.from_env()
    day = now.astimezone(ZoneInfo(settings.time_zone)).date()
    clocks = [clock.limit for clock in policy_on(day, settings.clocks) if not clock.confirmed]
    return [*clocks, *_book().unconfirmed(day)]


@cache
def _book() -> LimitBook:
    return LimitBook.load(Path(__file__).with_name("data") / "work_limits.toml")
