"""`DiagnosticReport/$turnaround`: how long reports took in a period, by priority, clock or modality; nothing is stored (5.8.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from slipring.fhir.outcome import FhirError, unprocessable
from slipring.fhir.search.moment import BEGINNING, END, interval, zoned
from slipring.fhir.service import Call, Changes, Desk, Resource

from slipring_report.clocks.reported import as_parts, as_report
from slipring_report.clocks.turnaround import SPANS, Definition, Read, spans_between, turnarounds
from slipring_report.department import zone_of
from slipring_report.reading import reference_of
from slipring_report.resources import written
from slipring_report.worklist.carrying import first
from slipring_report.worklist.life import state_of
from slipring_report.worklist.listing import figure
from slipring_report.worklist.reading_task import clock_named, due_at, is_reading, issued_at, since
from slipring_report.worklist.work_task import code_in

BY = ("priority", "clock", "modality")
_COUNTED = frozenset({"unread", "claimed", "reported"})
_LONGEST = timedelta(days=366)
_USUAL = timedelta(days=30)
_AT_ONCE = timedelta(days=7)  # a department's readings of a week are found by one search
_OPENED_LATER = timedelta(days=31)  # an exam that was told of so long after it was acquired still counts
_PORTION = 50
_DAY = 10  # characters of a whole day
_A_SECOND = timedelta(seconds=1)


async def turnaround_asked(call: Call, desk: Desk) -> Changes:
    """The figures of the exams whose clock began in a period; of the last 30 days when nothing is said."""
    by, (start, end) = code_in(call, "by", BY, unless="priority"), _period(call, desk)
    tasks = [one async for one in _readings(start, end, desk)]
    modalities = await _modalities(tasks, desk) if by == "modality" else {}
    reads = [_read(task, by, modalities) for task in tasks]
    days = [one.astimezone(zone_of(desk)).date() for one in (start, end - _A_SECOND)]
    per = code_in(call, "per", SPANS) if call.value("per") else ""
    spans = spans_between(days[0], days[1] + timedelta(days=1), per) if per else []
    found = turnarounds(reads, desk.now, spans, zone_of(desk))
    report = as_report(found, start, end, by, id=desk.new_id(), now=desk.now)
    period = {"name": "period", "valuePeriod": {"start": written(start), "end": written(end)}}
    parts = [period, *map(as_parts, found), {"name": "report", "resource": report}]
    return Changes(answer={"resourceType": "Parameters", "parameter": parts})


async def _readings(start: datetime, end: datetime, desk: Desk) -> AsyncIterator[Resource]:
    """The readings whose clock began in the period and that somebody read or has to read."""
    begun = start
    while begun < min(end + _OPENED_LATER, desk.now + _A_SECOND):
        until = begun + _AT_ONCE
        for one in await desk.search(
            f"Task?code=reading&authored-on=ge{written(begun)}&authored-on=lt{written(until)}"
        ):
            counts = not one.source and is_reading(one.resource) and state_of(one.resource) in _COUNTED
            if counts and start <= since(one.resource) < end:
                yield one.resource
        begun = until


def _read(task: Resource, by: str, modalities: dict[str, str]) -> Read:
    groups = {
        "priority": str(task.get("priority", "routine")),
        "clock": str(first(task, "clock")),
        "modality": modalities.get(reference_of(task.get("focus")), "unknown"),
    }
    clock = clock_named(task)
    zh, en = figure(clock)
    means = Definition(zh, en, str(clock["clock-source"]), bool(clock["clock-confirmed"]))
    return Read(f"Task/{task['id']}", since(task), due_at(task), issued_at(task), groups[by], means)


async def _modalities(tasks: list[Resource], desk: Desk) -> dict[str, str]:
    """The modalities of each request's images, as one word: CT, or CT+PT."""
    requests = sorted({reference_of(task.get("focus")) for task in tasks} - {""})
    portions = [requests[at : at + _PORTION] for at in range(0, len(requests), _PORTION)]
    found = await desk.searches([f"ImagingStudy?basedon={','.join(one)}" for one in portions]) if portions else []
    said: dict[str, set[str]] = {}
    for study in (one.resource for portion in found for one in portion):
        codes = {str(one.get("code")) for one in study.get("modality", [])}
        codes |= {str(one["modality"].get("code")) for one in study.get("series", []) if "modality" in one}
        for named in study.get("basedOn", []):
            said.setdefault(reference_of(named), set()).update(codes)
    return {request: "+".join(sorted(codes)) or "unknown" for request, codes in said.items()}


def _period(call: Call, desk: Desk) -> tuple[datetime, datetime]:
    period = call.value("period") or {}
    end = _moment(period.get("end"), desk, call, end_of_day=True) or desk.now + _A_SECOND  # this moment belongs to it
    start = _moment(period.get("start"), desk, call) or end - _USUAL
    if start >= end or end - start > _LONGEST:
        raise _odd_period(call)
    return start, end


def _moment(text: object, desk: Desk, call: Call, *, end_of_day: bool = False) -> datetime | None:
    """A day is the department's, from its first moment to its last."""
    if not text:
        return None
    said, whole = str(text), "T" not in str(text)
    found = interval(said, zone_of(desk)) if len(said) >= _DAY and (whole or zoned(said)) else None
    if found is None or not BEGINNING < found.low < found.high < END:  # nothing is counted off the calendar's ends
        raise _odd_period(call)
    return found.high if whole and end_of_day else found.low


def _odd_period(call: Call) -> FhirError:
    return unprocessable(
        "The period begins before it ends and is a year at most, in days or in moments with a time zone.",
        "时段须先始后止、不超过一年，并写到日或带时区的时刻。",
        at=call.at("period"),
        code="value",
        detail="report.turnaround-period",
    )
