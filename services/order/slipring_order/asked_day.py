"""The day, or the period of days, that an operation is asked about."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from slipring.fhir.outcome import FhirError, unprocessable
from slipring.fhir.service import Call, Desk, Stored

from slipring_order.reading import instant

# Outside of them no record of a department lies, and no reckoning with months leaves the calendar.
_FIRST, _LAST = date(1900, 1, 1), date(2999, 12, 31)
_MONTH = timedelta(days=30)
_LONGEST = timedelta(days=366)  # a review looks at each day of its period


def asked_day(call: Call, name: str, otherwise: date | None = None) -> date:
    """A parameter that is a whole day; `otherwise` where it is not given. 422 at the parameter for anything else."""
    said = call.value(name)
    if said is None and otherwise is not None:
        return otherwise
    try:
        day = date.fromisoformat(str(said or ""))
    except ValueError:
        day = date.min
    if not _FIRST <= day <= _LAST:
        raise unprocessable(
            f"{name} is a whole day, such as 2026-03-01, from {_FIRST.year} to {_LAST.year}.",
            f"{name} 须为完整日期（如 2026-03-01），年份为 {_FIRST.year} 至 {_LAST.year}。",
            at=call.at(name),
            code="value",
            detail="order.whole-day",
        )
    return day


def asked_period(call: Call) -> tuple[date, date]:
    """`periodStart` and `periodEnd`, the last day included; 422 unless they are in order and a year at most."""
    start, end = asked_day(call, "periodStart"), asked_day(call, "periodEnd")
    if start <= end and end - start <= _LONGEST:
        return start, end
    raise unprocessable(
        "The period begins before it ends and is a year at most.",
        "时段须先始后止，且不超过一年。",
        at=call.at("periodEnd"),
        code="value",
        detail="order.review-period",
    )


async def found_by_day(query: str, name: str, period: tuple[date, date], desk: Desk) -> list[Stored]:
    """Everything that a search finds in a period, each once: month by month, and by shorter spans where that is too much.

    `name` is the date parameter that bounds a span; `query` ends where it begins.
    """
    start, end = period
    found: dict[str, Stored] = {}
    while start <= end:
        last = min(start + _MONTH, end)
        found |= {one.reference: one for one in await _found_within(f"{query}&{name}", start, last, desk)}
        start = last + timedelta(days=1)
    return list(found.values())


async def _found_within(query: str, start: date, end: date, desk: Desk) -> list[Stored]:
    """The matches of some days; halved as long as there are more than the desk gives at once."""
    zone, name = desk.settings.zone, query.rpartition("&")[2]
    begins, ends = (datetime.combine(day, time.min, zone) for day in (start, end + timedelta(days=1)))
    try:
        return await desk.search(f"{query}=ge{instant(begins)}&{name}=lt{instant(ends)}")
    except FhirError as refused:
        if start == end or refused.issues[0].detail != "kernel.too-many-matches-decide":
            raise
    middle = start + (end - start) // 2
    first = await _found_within(query, start, middle, desk)
    return [*first, *await _found_within(query, middle + timedelta(days=1), end, desk)]


def day_by_day(start: date, end: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Each day of a period as its first moment and the next day's, so that no search over a period grows without bound."""
    for number in range((end - start).days + 1):
        day = start + timedelta(days=number)
        begins, ends = (datetime.combine(one, time.min, zone) for one in (day, day + timedelta(days=1)))
        yield begins, ends
