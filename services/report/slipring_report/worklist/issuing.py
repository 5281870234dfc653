"""The report of an exam is issued: its reading is over, in time or not; withdrawn, the exam waits to be read again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from slipring.fhir.service import Changes, Desk, Resource, Save, Stored, successor

from slipring_report.clocks.watching import armed, clock_at, moved_on, recorded, timer_of
from slipring_report.reading import request_of
from slipring_report.resources import reference, written
from slipring_report.visibility import believed
from slipring_report.worklist.carrying import first, said, without
from slipring_report.worklist.life import after, clock_of, in_state, state_of
from slipring_report.worklist.reading_task import due_at, is_reading, unclaimed

_RESULT = ("issued", "in-time", "report")


def claim_timer(reading: str) -> str:
    """The key of the timer of a claim."""
    return f"claim:{reading}"


async def report_moved(report: Resource, desk: Desk) -> Changes:
    """What a report that is issued, or withdrawn, means for the reading of its exam; call it with the report as it will stand.

    Only the first issue counts: an amendment neither opens the reading nor moves its time.
    """
    request, status = request_of(report), report.get("status")
    if not request or not (believed(report) or status == "entered-in-error"):
        return Changes.none()
    changes = Changes.none()
    for task in await readings_of(request, desk):
        state = state_of(task.resource)
        if believed(report) and state != "reported":
            changes = changes.plus(await over(task, report, issue_time(report, desk.now), desk))
        elif status == "entered-in-error" and state == "reported" and _of(report, task):
            changes = changes.plus(await _again(task, report, desk))
    return changes


async def readings_of(request: str, desk: Desk) -> list[Stored]:
    """The readings of a request's exam."""
    found = await desk.search(f"Task?code=reading&focus={request}")
    return [one for one in found if not one.source and is_reading(one.resource)]


async def issued_report(request: str, desk: Desk, *, but: str = "") -> Resource | None:
    """The report of a request that has gone out first; None while there is none."""
    found = await desk.search(f"DiagnosticReport?based-on={request}") if request else []
    out = [one for one in found if not one.source and believed(one.resource) and one.reference != but]
    return min(out, key=lambda one: issue_time(one.resource, one.updated_at)).resource if out else None


def issue_time(report: Resource, unless: datetime) -> datetime:
    """When a report was issued."""
    return datetime.fromisoformat(report["issued"]) if "issued" in report else unless


async def over(task: Stored, report: Resource, at: datetime, desk: Desk) -> Changes:
    """The reading is over by this report; one that came late is on record as late, whether its timer had fired or not."""
    late = at > due_at(task.resource)
    outputs: list[Mapping[str, Any]] = [
        said("issued", valueInstant=written(at)),
        said("in-time", valueBoolean=not late),
        said("report", valueReference=reference(f"DiagnosticReport/{report['id']}")),
    ]
    standing = moved_on(task, "breached", desk) if late else task.resource
    members = {
        **in_state(after(state_of(task.resource), "report-issued"), "breached" if late else "kept"),
        "output": [*without(standing, *_RESULT, member="output"), *outputs],
        "input": unclaimed(task.resource)["input"],
        "lastModified": written(desk.now),
    }
    saves = [successor(task, **members), *(await recorded(task.resource, "breached", desk) if late else [])]
    return Changes(save=saves, cancel=[timer_of(task.reference), claim_timer(task.reference)])


async def _again(task: Stored, report: Resource, desk: Desk) -> Changes:
    """The issued report was withdrawn and no other stands: the exam waits for one, and its deadline is what it was."""
    if await issued_report(request_of(report), desk, but=f"DiagnosticReport/{report['id']}"):
        return Changes.none()
    was_breached = clock_of(task.resource) == "breached"
    clock = "breached" if was_breached else clock_at(task.resource, desk.now)
    members = {
        **task.resource,
        **in_state(after("reported", "report-withdrawn"), clock),
        **unclaimed(task.resource),
        "output": without(task.resource, *_RESULT, member="output"),
        "lastModified": written(desk.now),
    }
    reopened = {name: value for name, value in members.items() if value is not None}
    records = [] if clock == "running" else await recorded(reopened, clock, desk)
    wake = [] if clock == "breached" else [armed(reopened, desk)]
    return Changes(save=[Save(reopened, replaces=task.version), *records], wake=wake)


def _of(report: Resource, task: Stored) -> bool:
    named = first(task.resource, "report", "output") or {}
    return bool(named.get("reference") == f"DiagnosticReport/{report['id']}")
