"""What a calendar file (RFC 5545) says of shifts: every occurrence with its instants, and all that cannot be read. Pure.

A shift begins and ends at the time on the wall that is written (DTEND), or lasts as long as DURATION says: days by the
calendar, hours exactly (RFC 5545 3.3.6). A time without a zone is the department's. Of a time that comes twice the first is
meant (3.3.5); one that the clock jumps over is a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Component

from slipring_critical.directory.ical_events import event_faults, several, time_of, uid_of
from slipring_critical.directory.ical_lines import NOT_A_CALENDAR, Bounds, Fault, bounds, events_at

_NOT_PEOPLE = frozenset({"ROOM", "RESOURCE"})
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a file: the hours from `now` to `until` (UTC), the department's zone, and when an all-day event begins."""

    now: datetime
    until: datetime
    zone: ZoneInfo
    all_day_from: time
    bounds: Bounds = field(default_factory=bounds)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One shift: `key` names it within its series ('' when there is none); `attendees` addresses, `declined` those who said no."""

    uid: str
    line: int
    key: str
    start: datetime  # UTC
    end: datetime
    summary: str = ""
    attendees: tuple[str, ...] = ()
    declined: tuple[str, ...] = ()


@dataclass(slots=True)
class Read:
    """What was read: `uids` of every event of the file, `cancelled` and `later` how many occurrences are no shifts of these hours."""

    occurrences: list[Occurrence] = field(default_factory=list)
    uids: set[str] = field(default_factory=set)
    cancelled: int = 0
    later: int = 0
    faults: list[Fault] = field(default_factory=list)


def read_into(read: Read, text: str, asked: Asked, begun: Callable[[int, str], None]) -> None:
    """Read a file; `begun` is told of each event before it is unfolded, which of a hostile rule may take for ever."""
    lines, faults = events_at(text, asked.bounds)
    read.faults += faults
    if faults:
        return
    try:
        calendar = Calendar.from_ical(text)
        events = list(calendar.walk("VEVENT"))
    except (ValueError, IndexError, KeyError):
        events, calendar = [], Calendar()
    if len(events) != len(lines) or not lines:
        read.faults.append(Fault(NOT_A_CALENDAR))
        return
    series: dict[str, list[tuple[int, Component]]] = {}
    for line, event in zip(lines, events, strict=True):
        found = list(event_faults(event, line, asked.bounds))
        read.faults += found
        if not found:
            series.setdefault(uid_of(event), []).append((line, event))
    method = str(calendar.get("METHOD", "")).upper()
    for uid, parts in series.items():
        read.uids.add(uid)
        begun(parts[0][0], uid)
        _unfold(read, _alone(calendar, parts), uid, dict(parts), asked, withdrawn=method == "CANCEL")


def _alone(calendar: Calendar, parts: Sequence[tuple[int, Component]]) -> Calendar:
    """One series by itself; each event says the line it stands on."""
    alone = Calendar()
    if "X-WR-TIMEZONE" in calendar:
        alone["X-WR-TIMEZONE"] = calendar["X-WR-TIMEZONE"]
    for line, event in parts:
        event["X-LINE"] = str(line)
        alone.add_component(event)
    return alone


def _unfold(
    read: Read, alone: Calendar, uid: str, parts: Mapping[int, Component], asked: Asked, *, withdrawn: bool
) -> None:
    first = min(parts)
    masters = [line for line, event in parts.items() if "RECURRENCE-ID" not in event]
    if len(masters) > 1:
        read.faults.append(Fault("uid-twice", masters[1], uid))
        return
    repeats = len(parts) > 1 or any(
        name in event for event in parts.values() for name in ("RRULE", "RDATE", "RECURRENCE-ID")
    )
    try:
        unfolded = recurring_ical_events.of(alone).between(asked.now - 2 * _DAY, asked.until + 2 * _DAY)
    except (TimeoutError, MemoryError):
        raise
    except Exception:  # whatever a library makes of a series that contradicts itself
        read.faults.append(Fault("series", first, uid))
        return
    for one in unfolded:
        line = int(str(one["X-LINE"]))
        try:
            start, end = _hours(one, parts[line], asked)
        except _NoSuchTimeError as jumped:
            if jumped.near(asked) and not _is_cancelled(one):
                read.faults.append(Fault("no-such-time", line, uid, jumped.seen))
            continue
        except (ValueError, OverflowError, TypeError, AttributeError):
            read.faults.append(Fault("series", line, uid))
            continue
        if end <= asked.now:
            continue
        if withdrawn or _is_cancelled(one):
            read.cancelled += 1
        elif start >= asked.until:
            read.later += 1
        elif not start < end <= start + timedelta(days=asked.bounds["longest-shift-days"]):
            read.faults.append(Fault("hours", line, uid))
            return
        else:
            key = _key(one, asked) if repeats else ""
            read.occurrences.append(_occurrence(one, uid, line, key, (start, end)))
        if len(read.occurrences) > asked.bounds["most-shifts"]:
            read.faults.append(Fault("shifts", line, uid, str(asked.bounds["most-shifts"])))
            return


def _is_cancelled(event: Component) -> bool:
    return str(event.get("STATUS", "")).upper() == "CANCELLED"


def _occurrence(event: Component, uid: str, line: int, key: str, hours: tuple[datetime, datetime]) -> Occurrence:
    people = [
        (str(one).strip().removeprefix("mailto:").removeprefix("MAILTO:").casefold(), one.params)
        for one in several(event.get("ATTENDEE"))
        if str(one.params.get("CUTYPE", "")).upper() not in _NOT_PEOPLE
        and str(one.params.get("ROLE", "")).upper() != "NON-PARTICIPANT"
    ]
    no = {address for address, how in people if str(how.get("PARTSTAT", "")).upper() == "DECLINED"}
    return Occurrence(
        uid, line, key, *hours, summary=str(event.get("SUMMARY", "")),
        attendees=tuple(dict.fromkeys(address for address, _ in people)), declined=tuple(sorted(no)),
    )  # fmt: skip


class _NoSuchTimeError(Exception):
    """The clock jumps over this time."""

    def __init__(self, at: datetime) -> None:
        super().__init__()
        self.at, self.seen = at, f"{at:%Y-%m-%dT%H:%M} {at.tzinfo}"

    def near(self, asked: Asked) -> bool:
        """Whether it lies in the hours that are asked for."""
        return asked.now - _DAY < self.at.astimezone(UTC) < asked.until


def _hours(event: Component, source: Component, asked: Asked) -> tuple[datetime, datetime]:
    """From when to when, in UTC."""
    start = _instant(time_of(event, "DTSTART"), asked)
    if "DURATION" in source:
        lasts: timedelta = time_of(source, "DURATION")
        begins = time_of(event, "DTSTART")
        whole = begins + timedelta(days=lasts.days)
        return start, _instant(whole, asked) + (lasts - timedelta(days=lasts.days))
    return start, _instant(time_of(event, "DTEND"), asked)


def _instant(at: date | datetime, asked: Asked) -> datetime:
    if not isinstance(at, datetime):
        at = datetime.combine(at, asked.all_day_from)
    local = at if at.tzinfo is not None else at.replace(tzinfo=asked.zone)
    instant = local.astimezone(UTC)
    if instant.astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise _NoSuchTimeError(local)
    return instant


def _key(event: Component, asked: Asked) -> str:
    """Which of its series it is: by when it would begin, had nobody moved it."""
    at = time_of(event, "RECURRENCE-ID" if "RECURRENCE-ID" in event else "DTSTART")
    if not isinstance(at, datetime):
        return f"{at:%Y%m%d}"
    local = at if at.tzinfo is not None else at.replace(tzinfo=asked.zone)
    return local.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
