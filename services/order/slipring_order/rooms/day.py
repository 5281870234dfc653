"""A day on a scanner: when it is open, what is taken, and which slots are free. Pure functions over facts."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

_DATA = Path(__file__).parents[1] / "data" / "rooms.toml"
_WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time, end not included."""

    starts_at: datetime
    ends_at: datetime

    def meets(self, other: Span) -> bool:
        """Whether the two have any moment in common."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at


@dataclass(frozen=True, slots=True)
class Taken:
    """A span that something holds: an exam's appointment, or a block for maintenance."""

    span: Span
    appointment: str  # Appointment/...
    request: str = ""  # ServiceRequest/...; empty for a block

    @property
    def blocks(self) -> bool:
        """Whether it is no patient's time: maintenance, a calibration, a visit of the engineer."""
        return not self.request


@dataclass(frozen=True, slots=True)
class Hours:
    """When a scanner is open in a week, and how long one slot is."""

    week: Mapping[str, Sequence[tuple[time, time]]]
    slot: timedelta

    def on(self, day: date, zone: ZoneInfo) -> list[Span]:
        """The open spans that begin on a day in the department's time zone; a night shift ends on the next one."""
        return [
            Span(_at(day, opens, zone), _at(day + timedelta(days=1) if closes <= opens else day, closes, zone))
            for opens, closes in self.week.get(_WEEK[day.weekday()], ())
        ]


@cache
def rooms_data() -> Mapping[str, Any]:
    """The shipped defaults of `data/rooms.toml`."""
    with _DATA.open("rb") as file:
        return tomllib.load(file)


def usual_week() -> Mapping[str, Sequence[tuple[time, time]]]:
    """The opening hours where neither scanner nor room says any."""
    hours = rooms_data()["hours"]
    return {day: [(time.fromisoformat(a), time.fromisoformat(b)) for a, b in hours[day]] for day in _WEEK}


def slots(hours: Hours, day: date, zone: ZoneInfo) -> list[Span]:
    """Every slot that begins on a day, taken or not, those of the night before included; a rest too short is none."""
    today, found = span_of_day(day, zone), []
    for opened in _joined([*hours.on(day - timedelta(days=1), zone), *hours.on(day, zone)]):
        start = opened.starts_at
        while start + hours.slot <= opened.ends_at:
            if today.starts_at <= start < today.ends_at:
                found.append(Span(start, start + hours.slot))
            start += hours.slot
    return found


def span_of_day(day: date, zone: ZoneInfo) -> Span:
    """A whole day in the department's time zone; it has 23 or 25 hours where the clocks change."""
    return Span(_at(day, time.min, zone), _at(day + timedelta(days=1), time.min, zone))


def free_slots(hours: Hours, day: date, taken: Iterable[Taken], now: datetime, zone: ZoneInfo) -> list[Span]:
    """The slots of a day that nothing holds and that have not begun."""
    held = [one.span for one in taken]
    return [
        slot
        for slot in slots(hours, day, zone)
        if slot.starts_at >= now and not any(slot.meets(other) for other in held)
    ]


def clashes(wanted: Span, taken: Iterable[Taken], *, own: str = "") -> list[Taken]:
    """What already holds some of a span, the appointment `own` apart; earliest first."""
    found = [one for one in taken if one.appointment != own and one.span.meets(wanted)]
    return sorted(found, key=lambda one: one.span.starts_at)


def _joined(spans: Iterable[Span]) -> list[Span]:
    """Hours that run into each other are one."""
    found: list[Span] = []
    for one in sorted(spans, key=lambda span: span.starts_at):
        if found and one.starts_at < found[-1].ends_at:
            before = found.pop()
            one = Span(before.starts_at, max(before.ends_at, one.ends_at))  # noqa: PLW2901 - the longer one
        found.append(one)
    return found


def _at(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)
