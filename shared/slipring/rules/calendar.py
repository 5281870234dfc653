"""Working time: a week's hours, public holidays, and days off that a circular makes working days. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

SHIPPED = Path(__file__).with_name("calendar.toml")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MOVED = "moved"
_LONGEST = timedelta(days=400)  # no deadline is looked for further ahead
_SURE_WEEKS = 40  # that a year has although there are holidays

Hours = tuple[tuple[time, time], ...]


@dataclass(frozen=True, slots=True)
class Week:
    """The working hours by the name of the weekday, and of a moved working day, from a day on."""

    begins_on: date
    hours: Mapping[str, Hours]
    source: str
    confidence: str

    @property
    def minutes(self) -> int:
        """The working minutes of seven plain days."""
        spans = [span for day in WEEKDAYS for span in self.hours[day]]
        return sum((closes.hour - opens.hour) * 60 + closes.minute - opens.minute for opens, closes in spans)


@dataclass(frozen=True, slots=True)
class Calendar:
    """When the department works; `years`: those whose holidays are known."""

    weeks: tuple[Week, ...]
    off: frozenset[date]
    worked: frozenset[date]
    years: frozenset[int]

    def hours_on(self, day: date) -> Hours:
        """The working hours of a day; none on a day off."""
        begun = [week for week in self.weeks if week.begins_on <= day]
        week = max(begun or self.weeks[:1], key=lambda one: one.begins_on)
        if day in self.worked:
            return week.hours[_MOVED]
        return () if day in self.off else week.hours[WEEKDAYS[day.weekday()]]

    def after(self, start: datetime, minutes: float, zone: ZoneInfo) -> datetime:
        """The moment at which so many working minutes have passed; LookupError when there are not enough of them."""
        left = timedelta(minutes=minutes)
        for opens, closes in self._open(start, start + _LONGEST, zone):
            if left <= closes - opens:
                return opens + left
            left -= closes - opens
        raise LookupError("the calendar has too few working hours")

    def minutes_between(self, start: datetime, end: datetime, zone: ZoneInfo) -> float:
        """How many working minutes lie between two moments; 0 when the second is not later."""
        spans = self._open(start, end, zone)
        return sum((closes - opens for opens, closes in spans), timedelta(0)) / timedelta(minutes=1)

    def holds(self, minutes: int) -> bool:
        """Whether so much working time always comes within a year, whatever the holidays."""
        return all(minutes <= week.minutes * _SURE_WEEKS for week in self.weeks)

    def uncovered(self, start: datetime, end: datetime, zone: ZoneInfo) -> tuple[int, ...]:
        """The years that a span touches and whose holidays are not known."""
        first, last = start.astimezone(zone).year, end.astimezone(zone).year
        return tuple(year for year in range(first, last + 1) if year not in self.years)

    def _open(self, start: datetime, end: datetime, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
        """The spans of work between two moments, in UTC: there a day of 23 hours is no trap."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        day = start.astimezone(zone).date()
        while day <= end.astimezone(zone).date():
            for opens, closes in self.hours_on(day):
                begun = max(start, datetime.combine(day, opens, zone).astimezone(UTC))
                over = min(end, datetime.combine(day, closes, zone).astimezone(UTC))
                if begun < over:
                    yield begun, over
            day += timedelta(days=1)


@cache
def calendar(file: str = "") -> Calendar:
    """The department's own calendar, or the shipped one; ValueError says what in a file is no calendar."""
    path = Path(file) if file else SHIPPED
    written = tomllib.loads(path.read_text(encoding="utf-8"))
    try:
        return _calendar(written)
    except (KeyError, TypeError, ValueError) as wrong:
        raise ValueError(f"{path}: this is no working calendar: {wrong}") from wrong


def _calendar(written: Mapping[str, Any]) -> Calendar:
    weeks = tuple(_week(entry) for entry in written["week"])
    if not weeks or not all(week.minutes for week in weeks):
        raise ValueError("a week has no working hours")
    off, worked = set[date](), set[date]()
    for name, year in written.get("year", {}).items():
        days = {day for span in year["off"] for day in _days(span)}
        moved = {date.fromisoformat(text) for text in year["worked"]}
        if strange := sorted(day for day in days | moved if day.year != int(name)):
            raise ValueError(f"{strange[0]} does not lie in {name}")
        if both := sorted(days & moved):
            raise ValueError(f"{both[0]} is a day off and worked")
        off, worked = off | days, worked | moved
    years = frozenset(int(name) for name in written.get("year", {}))
    return Calendar(weeks, frozenset(off), frozenset(worked), years)


def _week(entry: Mapping[str, Any]) -> Week:
    if not isinstance(entry["from"], date):
        raise ValueError("a week begins on a day")
    hours = {name: _hours(entry[name]) for name in (*WEEKDAYS, _MOVED)}
    return Week(entry["from"], hours, entry["source"], entry["confidence"])


def _hours(spans: Sequence[str]) -> Hours:
    found = []
    for span in spans:
        opens, _, closes = span.partition("-")
        found.append((time.fromisoformat(opens), time.fromisoformat(closes)))
    ends = [at for span in found for at in span]
    if ends != sorted(set(ends)):
        raise ValueError(f"hours that overlap or run backwards: {', '.join(spans)}")
    return tuple(found)


def _days(span: Sequence[str]) -> Iterator[date]:
    first, last = date.fromisoformat(span[0]), date.fromisoformat(span[-1])
    if last < first or len(span) > 2:
        raise ValueError(f"no range of days: {', '.join(span)}")
    while first <= last:
        yield first
        first += timedelta(days=1)
