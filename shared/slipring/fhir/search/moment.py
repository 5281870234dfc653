"""FHIR dates as half-open intervals [low, high) in UTC, as wide as their precision."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import NamedTuple

# Open ends of periods. Inside what Python and PostgreSQL both hold, and equal on both sides.
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
END = datetime(9999, 12, 31, tzinfo=UTC)
_FROM_THE_END = timedelta(days=1000)

_DAY = 10  # characters of a whole day
_MOMENT = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?(Z|[+-]\d\d:\d\d)?)?)?)?", re.ASCII
)


class Interval(NamedTuple):
    """Every moment from `low` up to, but not including, `high`."""

    low: datetime
    high: datetime


# The first and the last year ("for ever" in many systems) count as one day: no zone can shift them out of range.
_EDGES = {
    "0001": Interval(BEGINNING, BEGINNING + timedelta(days=1)),
    "9999": Interval(END - timedelta(days=1), END),
}


def interval(text: str, zone: tzinfo = UTC) -> Interval | None:
    """The interval a FHIR date, dateTime or instant stands for; None when it is none.

    A date without a time zone is a day of `zone`.

    >>> interval("2026-02")
    Interval(low=datetime.datetime(2026, 2, 1, 0, 0, tzinfo=datetime.timezone.utc), \
high=datetime.datetime(2026, 3, 1, 0, 0, tzinfo=datetime.timezone.utc))
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, offset = match.groups()
    try:
        if year in _EDGES:
            datetime(int(year), int(month or 1), int(day or 1), tzinfo=UTC)
            return _EDGES[year]
        if hour is None:
            return _days(int(year), month, day, zone)
        if second == "60":  # a leap second counts as the second before it
            second = "59"
        micro = int((fraction or "")[:6].ljust(6, "0"))
        low = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micro, _offset(offset, zone)
        ).astimezone(UTC)
        if second is None:
            return Interval(low, low + timedelta(minutes=1))
        return Interval(low, low + timedelta(microseconds=10 ** max(0, 6 - len(fraction or ""))))
    except ValueError:
        return None


def counts(at: datetime) -> bool:
    """Whether days may be counted from a moment, some years of them either way: the calendar does not end there."""
    return BEGINNING + _FROM_THE_END <= at <= END - _FROM_THE_END


def moment(text: object, zone: tzinfo, *, end_of_day: bool = False) -> datetime | None:
    """A FHIR dateTime as an instant in UTC; a bare day is a day of the zone, and a month or a year says no moment."""
    found = interval(text, zone) if isinstance(text, str) and len(text) >= _DAY else None
    if found is None or not isinstance(text, str):
        return None
    return found.high - found.high.resolution if end_of_day and "T" not in text else found.low


def zoned(text: object) -> datetime | None:
    """A moment that says its time zone; None for a day, for a time without a zone and for what is no time.

    >>> zoned("2026-03-02T09:00:00+08:00").isoformat(), zoned("2026-03-02"), zoned("2026-03-02T09:00:00"), zoned(None)
    ('2026-03-02T09:00:00+08:00', None, None, None)
    """
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _offset(text: str | None, zone: tzinfo) -> tzinfo:
    if text is None:
        return zone
    if text == "Z":
        return UTC
    from_utc = timedelta(hours=int(text[1:3]), minutes=int(text[4:6]))
    return timezone(-from_utc if text[0] == "-" else from_utc)


def _days(year: int, month: str | None, day: str | None, zone: tzinfo) -> Interval:
    """A whole year, month or day of the zone."""
    low = datetime(year, int(month or 1), int(day or 1), tzinfo=zone)
    if day is not None:
        high = low + timedelta(days=1)
    elif month is not None and low.month < 12:
        high = low.replace(month=low.month + 1)
    else:
        high = low.replace(year=year + 1, month=1)
    return Interval(low.astimezone(UTC), high.astimezone(UTC))


def period(start: str | None, end: str | None, zone: tzinfo = UTC) -> Interval | None:
    """From the start of `start` to the end of `end`; a missing side is open."""
    first = interval(start, zone) if start else None
    last = interval(end, zone) if end else None
    if (start and first is None) or (end and last is None) or not (first or last):
        return None
    low, high = first.low if first else BEGINNING, last.high if last else END
    return Interval(low, high) if low < high else None
