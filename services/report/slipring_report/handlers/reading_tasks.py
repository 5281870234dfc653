"""An exam is acquired: its reading opens, with a deadline; what becomes of the exam, its reading follows (5.8.1)."""

from __future__ import annotations

from slipring.fhir.service import Arrival, Changes, Desk, Due, Resource, Save, Stored, successor

from slipring_report.clocks.deadline import Deadline
from slipring_report.clocks.gathering import deadline_of
from slipring_report.clocks.watching import armed, clock_at, moved_on, recorded, timer_of
from slipring_report.reading import code_of, reference_of
from slipring_report.resources import written
from slipring_report.vocabulary import TASK_CODE
from slipring_report.worklist.issuing import claim_timer, issue_time, issued_report, over
from slipring_report.worklist.life import OPEN, after, clock_of, in_state, state_of
from slipring_report.worklist.reading_task import (
    EXAM_STATE,
    as_reading,
    due_at,
    exam_of,
    reading_id,
    unclaimed,
    with_deadline,
)

_DONE = frozenset({"reported", "closed"})
_OFF = frozenset({"cancelled", "discontinued", "rejected"})


def is_exam(task: Resource) -> bool:
    """Whether a Task of order is an exam's own."""
    return code_of(task.get("code"), TASK_CODE) == "exam"


async def exam_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """An exam moved: acquired opens its reading; scanned anew waits for images; cancelled ends it; reported closes it."""
    exam = arrival.resource
    if arrival.deleted or not is_exam(exam):
        return Changes.none()
    state = code_of(exam.get("businessStatus"), EXAM_STATE)
    standing = await desk.read(f"Task/{reading_id(arrival.reference)}")
    if state == "acquired":
        return await (_opened(exam, desk) if standing is None else _acquired(standing, exam, desk))
    if standing is None or state_of(standing.resource) not in OPEN:
        return Changes.none()
    if state in _DONE:
        report = await issued_report(reference_of(exam.get("focus")), desk)
        return await over(standing, report, issue_time(report, desk.now), desk) if report else Changes.none()
    return _not_now(standing, "exam-cancelled" if state in _OFF else "scanned-anew", desk)


async def _opened(exam: Resource, desk: Desk) -> Changes:
    """The reading of an exam; what was reported before anybody said that it was acquired is over at once."""
    task = as_reading(exam, await deadline_of(exam, desk), now=desk.now)
    report = await issued_report(reference_of(exam.get("focus")), desk)
    if report is not None:
        made = await over(Stored(task, 0, desk.now), report, issue_time(report, desk.now), desk)
        return Changes(save=[Save(made.save[0].resource), *made.save[1:]])
    return await _running(task, None, desk)


async def _acquired(standing: Stored, exam: Resource, desk: Desk) -> Changes:
    """An exam that is acquired again, or of which order says something new: its clock follows what holds now."""
    state = state_of(standing.resource)
    if state == "reported":
        return Changes.none()
    due = await deadline_of(exam, desk)
    if state in OPEN - {"awaiting-images"}:
        return await _due_otherwise(standing, exam, due, desk)
    task: Resource = {
        **standing.resource,
        **in_state(after(state, "images-acquired"), "running"),
        **with_deadline(standing.resource, due),
        "priority": exam.get("priority", "routine"),
    }
    return await _running(task, standing, desk)


async def _due_otherwise(standing: Stored, exam: Resource, due: Deadline, desk: Desk) -> Changes:
    """An open reading whose priority, patient or times were said otherwise; the same again changes nothing."""
    told: Resource = {name: exam[name] for name in ("priority", "for", "encounter") if name in exam}
    task = {**standing.resource, **told, **with_deadline(standing.resource, due)}
    unmoved = all(task.get(name) == standing.resource.get(name) for name in (*told, "restriction"))
    if unmoved:
        return Changes.none()
    if due_at(task) == due_at(standing.resource):
        return Changes(save=[Save({**task, "lastModified": written(desk.now)}, replaces=standing.version)])
    return await _running({**task, **in_state(state_of(task), "running")}, standing, desk)


async def _running(task: Resource, standing: Stored | None, desk: Desk) -> Changes:
    """A reading whose clock runs from a moment that may be long past: what is late already is on record at once."""
    clock = clock_at(task, desk.now)
    moved = moved_on(Stored(task, 0, desk.now), clock, desk)
    records = await recorded(moved, clock, desk) if clock != "running" else []
    save = Save(moved, replaces=standing.version if standing else None)
    key = [timer_of(f"Task/{task['id']}")] if clock == "breached" else []
    return Changes(save=[save, *records], wake=[] if key else [armed(moved, desk)], cancel=key if standing else [])


def _not_now(standing: Stored, event: str, desk: Desk) -> Changes:
    """The exam is off, or is scanned anew: nobody reads it now, and its clock stands; a breach stays on record."""
    was = state_of(standing.resource)
    if was == "awaiting-images" and event == "scanned-anew":
        return Changes.none()
    state = after(was, event)
    members = {**in_state(state, "stopped"), **unclaimed(standing.resource), "lastModified": written(desk.now)}
    return Changes(
        save=[successor(standing, **members)], cancel=[timer_of(standing.reference), claim_timer(standing.reference)]
    )


async def encounter_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """The class of an encounter is known, or another: the clocks of its open readings follow."""
    changes = Changes.none()
    for task in await desk.search(f"Task?code=reading&encounter={arrival.reference}&status=ready,in-progress"):
        exam = await desk.read(exam_of(task.resource))
        if exam is not None and not task.source:
            changes = changes.plus(
                await _due_otherwise(task, exam.resource, await deadline_of(exam.resource, desk), desk)
            )
    return changes


async def reporting_time(due: Due, desk: Desk) -> Changes:
    """The clock of a reading has come to its warning or its end: on record once, and told to whoever subscribed."""
    task = await desk.read(due.subject)
    if task is None or state_of(task.resource) not in {"unread", "claimed"}:
        return Changes.none()
    report = await issued_report(reference_of(task.resource.get("focus")), desk)
    if report is not None:  # order has not told yet that the exam is reported
        return await over(task, report, issue_time(report, desk.now), desk)
    clock = clock_at(task.resource, desk.now)
    if clock == "running" or clock == clock_of(task.resource):
        return Changes(wake=[armed(task.resource, desk)] if clock != "breached" else [])
    moved = moved_on(task, clock, desk)
    wake = [armed(moved, desk)] if clock == "warned" else []
    return Changes(save=[Save(moved, replaces=task.version), *await recorded(moved, clock, desk)], wake=wake)
