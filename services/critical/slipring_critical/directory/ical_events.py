"""What can be said of one event of a calendar (RFC 5545) before it is unfolded: properties, zones and rules that are not taken. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from icalendar import Component

from slipring_critical.directory.ical_lines import Bounds, Fault

_TIMES = ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE")


def uid_of(event: Component) -> str:
    """Its UID in one line; '' for none."""
    return " ".join(str(event.get("UID", "")).split())


def event_faults(event: Component, line: int, bounds: Bounds) -> Iterator[Fault]:
    """What can be said of an event before it is unfolded."""
    uid = uid_of(event)
    if not 0 < len(uid) <= bounds["longest-uid"]:
        yield Fault("uid", line)
        return
    broken = [str(name) for name, _ in event.errors]
    yield from (Fault("property", line, uid, name) for name in broken)
    if "DTSTART" not in event:
        yield Fault("property", line, uid, "DTSTART")
    if broken or "DTSTART" not in event:
        return
    if "DTEND" in event and not _follows(time_of(event, "DTEND"), time_of(event, "DTSTART")):
        yield Fault("hours", line, uid)
    for name in _TIMES:
        for value in several(event.get(name)):
            zone = str(getattr(value, "params", {}).get("TZID", ""))
            if zone and any(isinstance(at, datetime) and at.tzinfo is None for at in _moments(value)):
                yield Fault("zone", line, uid, f"{name} {zone}")
    for rule in several(event.get("RRULE")):
        told = {str(name).upper(): [str(one).upper() for one in several(given)] for name, given in rule.items()}
        if not set(told.get("FREQ", ["-"])) <= set(bounds["frequencies"]):
            yield Fault("rule", line, uid, "FREQ")
        yield from (Fault("rule", line, uid, name) for name in bounds["refused-parts"] if name in told)


def time_of(event: Component, name: str) -> Any:
    """The date, datetime or timedelta of a property that is there."""
    value: Any = event[name]
    return value.dt


def _follows(end: date | datetime, start: date | datetime) -> bool:
    """Whether an end lies after a start of the same kind; what unfolds events would turn them round in silence."""
    try:
        return isinstance(end, datetime) == isinstance(start, datetime) and end > start
    except TypeError:  # one has a zone, the other none
        return False


def several(value: Any) -> list[Any]:
    """All values of a property, however often it stands there."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _moments(value: Any) -> list[Any]:
    return [one.dt for one in value.dts] if hasattr(value, "dts") else [value.dt]
