"""`Task/$reading-list`: what waits to be read, by urgency, with what the clock says now; nothing is stored."""

from __future__ import annotations

from datetime import datetime

from slipring.fhir.outcome import unprocessable
from slipring.fhir.search.moment import zoned
from slipring.fhir.service import Call, Changes, Desk, Resource

from slipring_report.reading import reference_of
from slipring_report.resources import parameters, written
from slipring_report.worklist.carrying import codes_of
from slipring_report.worklist.life import OPEN, clock_of, state_of
from slipring_report.worklist.listing import as_entry, by_urgency
from slipring_report.worklist.reading_task import due_at, holder_of

_MOST = 500
_USUAL = 100


async def list_asked(call: Call, desk: Desk) -> Changes:
    """The open readings, or those of the states named; only as many as asked for, and how many there are."""
    states = _codes("state", "reading-state", call) or sorted(OPEN)
    clocks = _codes("clockState", "reporting-clock", call)
    before, most = _before(call), _count(call)
    found = await desk.search(f"Task?code=reading&business-status={','.join(states)}")
    wanted = [
        one.resource
        for one in found
        if not one.source
        and state_of(one.resource) in states
        and (not clocks or clock_of(one.resource) in clocks)
        and (before is None or due_at(one.resource) < before)
        and _asked(one.resource, call)
    ]
    listed = [as_entry(task, desk.now) for task in by_urgency(wanted)[:most]]
    answer = parameters(("total", "Integer", len(wanted)), ("asOf", "Instant", written(desk.now)))
    answer["parameter"] += listed
    return Changes(answer=answer)


def _asked(task: Resource, call: Call) -> bool:
    owner, priority = reference_of(call.value("owner")), call.value("priority")
    return (not owner or holder_of(task) == owner) and (not priority or task.get("priority", "routine") == priority)


def _codes(name: str, system: str, call: Call) -> list[str]:
    asked = [str(code) for code in call.values(name)]
    known = codes_of(system)
    if any(code not in known for code in asked):
        raise unprocessable(
            f"{name} is one of {', '.join(known)}.",
            f"{name} 须为以下之一：{'、'.join(known)}。",
            at=call.at(name),
            code="code-invalid",
            detail="report.reading-list-code",
        )
    return asked


def _before(call: Call) -> datetime | None:
    asked = call.value("dueBefore")
    if asked is None:
        return None
    moment = zoned(asked)
    if moment is None:
        raise unprocessable(
            "dueBefore is a moment with a time zone.",
            "dueBefore 须为带时区的时刻。",
            at=call.at("dueBefore"),
            code="value",
            detail="report.reading-list-moment",
        )
    return moment


def _count(call: Call) -> int:
    asked = call.value("count")
    if asked is None:
        return _USUAL
    if not isinstance(asked, int) or not 1 <= asked <= _MOST:
        raise unprocessable(
            f"count is a number from 1 to {_MOST}.",
            f"count 须为 1 至 {_MOST} 的整数。",
            at=call.at("count"),
            code="value",
            detail="report.reading-list-count",
        )
    return asked
