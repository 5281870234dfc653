"""Whether one FHIR moment comes after another, however precisely each is written."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

_DATE_ONLY = 10
_ZONES = timedelta(hours=14)  # a date without an offset may be meant anywhere on earth
_FRACTION = re.compile(r"\.(\d{1,6})\d*")


def after(first: str, second: str) -> bool:
    """True only when `first` is surely later; moments that overlap in their precision are not judged."""
    if len(first) == len(second) and first[10:11] != "T":
        return first > second
    if len(first) == len(second) and first[19:] == second[19:] and "." not in first:
        return first > second
    try:
        return _earliest(first) > _latest(second)
    except (ValueError, OverflowError):  # a leap second, the end of the calendar
        return False


def _earliest(text: str) -> datetime:
    if "T" in text:
        return _exact(text)
    year, month, day = (*(int(part) for part in text.split("-")), 1, 1)[:3]
    return datetime(year, month, day, tzinfo=UTC) - _ZONES


def _latest(text: str) -> datetime:
    if "T" in text:
        return _exact(text)
    parts = [int(part) for part in text.split("-")]
    if len(parts) == 1:
        end = date(parts[0] + 1, 1, 1)
    elif len(parts) == 2:
        end = date(parts[0] + parts[1] // 12, parts[1] % 12 + 1, 1)
    else:
        end = date(*parts) + timedelta(days=1)
    return datetime(end.year, end.month, end.day, tzinfo=UTC) + _ZONES


def _exact(text: str) -> datetime:
    return datetime.fromisoformat(_FRACTION.sub(lambda found: f".{found[1]:0<6}", text))
