"""The picture of a day: one lane for each scanner, bars where time is held, drawn to scale. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from slipring.department.bookings import Booking, Scanner
from slipring.department.exams import Exam

WIDTH, LANE, HEAD, NAMES = 1120, 56, 28, 160  # units of the picture; NAMES: room for the scanners' names
_FIRST_HOUR, _LAST_HOUR = 8, 18  # drawn at least


@dataclass(frozen=True, slots=True)
class Bar:
    """One held span."""

    x: float
    y: float
    width: float
    kind: str  # held, stat, done, blocked
    words: str

    @property
    def fits(self) -> bool:
        """Whether its words fit into it."""
        return self.width >= 9 * len(self.words)


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that is drawn."""

    height: int
    hours: Sequence[tuple[float, str]]
    lanes: Sequence[tuple[float, str, bool]]  # y, name, in service
    bars: Sequence[Bar]
    now: float | None
    width: int = WIDTH
    names: int = NAMES


def picture_of(
    scanners: Sequence[Scanner],
    bookings: Sequence[Booking],
    exams: Mapping[str, Exam],
    *,
    day: date,
    now: datetime,
    zone: tzinfo,
) -> Picture:
    """Draw a day; bookings outside the usual hours widen it, what reaches beyond the day is cut at its midnights."""
    midnight = datetime.combine(day, time(), zone)
    after = midnight + timedelta(days=1)
    local = [
        (one, max(one.starts_at.astimezone(zone), midnight), min(one.ends_at.astimezone(zone), after))
        for one in bookings
    ]
    first = min([_FIRST_HOUR, *(start.hour for _, start, _ in local)])
    last = max([_LAST_HOUR, *(_hour_after(start, end) for _, start, end in local)])
    per_hour = (WIDTH - NAMES) / (last - first)
    begin = midnight.replace(hour=first)

    def across(moment: datetime) -> float:
        return NAMES + (moment - begin) / timedelta(hours=1) * per_hour

    rows = {scanner.reference: HEAD + LANE * place for place, scanner in enumerate(scanners)}
    bars = []
    for booking, start, end in local:
        x, exam = across(start), exams.get(booking.request)
        width = max(2.0, across(end) - x - 1)
        bars.append(Bar(x, rows[booking.scanner] + 8, width, _kind(booking, exam), exam.number[-6:] if exam else ""))
    here = now.astimezone(zone)
    drawn = here.date() == day and first <= here.hour < last
    hours = [(NAMES + per_hour * n, f"{first + n:02d}:00") for n in range(last - first + 1)]
    lanes = [(rows[one.reference], one.name, one.in_service) for one in scanners]
    return Picture(HEAD + LANE * len(scanners), hours, lanes, bars, across(here) if drawn else None)


def _hour_after(start: datetime, end: datetime) -> int:
    return 24 if end.date() > start.date() else end.hour + (1 if end.minute else 0)


def _kind(booking: Booking, exam: Exam | None) -> str:
    if booking.blocked:
        return "blocked"
    if exam is None:
        return "held"
    if exam.state in ("acquired", "reported", "closed", "discontinued"):
        return "done"
    return "stat" if exam.priority == "stat" else "held"
