"""What an emergency left to be made up for on an exam: the follow-up Tasks, when they are due and when they end."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.fhir.service import Desk, Resource, Save, Stored, successor

from slipring_order import resources
from slipring_order.reading import codes, instant, moment

CODE = "follow-up"
_OVER = frozenset({"acquired", "discontinued", "reported", "closed"})
_OFF = frozenset({"cancelled", "rejected"})


async def open_follow_ups(exam: str, desk: Desk) -> list[Stored]:
    """What an emergency left to be made up for on an exam."""
    found = await desk.search(f"Task?part-of={exam}&code={resources.TASK_CODE_SYSTEM}|{CODE}&status=requested")
    return [one for one in found if not one.source]


async def follow_ups_follow(exam: Stored, target: str, ended_at: datetime, desk: Desk) -> list[Save]:
    """The follow-ups of an exam that moves: due once it is over, not due while it is done anew, none when it is off."""
    was = resources.state_of(exam.resource)
    over = target in _OVER and was not in _OVER
    anew = was in _OVER and target not in _OVER
    if not (over or anew or target in _OFF):
        return []
    waiting = await open_follow_ups(exam.reference, desk)
    if target in _OFF:
        ended = {"status": "cancelled", "lastModified": instant(desk.now)}
        return [successor(one, **ended) for one in waiting]
    due = _due(ended_at, desk) if over else None
    return [successor(one, restriction=due) for one in waiting if one.resource.get("restriction") != due]


def _due(ended_at: datetime, desk: Desk) -> Resource:
    """The span in which what was passed is to be answered."""
    return {"period": {"start": instant(ended_at), "end": instant(ended_at + timedelta(hours=limit_hours(desk)))}}


def limit_hours(desk: Desk) -> float:
    """How many hours after the exam what was passed is to be answered."""
    return float(
        desk.settings.limits.limit("emergency.afterwork", on=desk.now.astimezone(desk.settings.zone).date()).value
    )


def passed_in(task: Resource) -> set[str]:
    """The codes of what a follow-up Task says was passed."""
    return {code for entry in task.get("input", []) for code in codes(entry.get("valueCodeableConcept"))}


def due_at(task: Resource, desk: Desk) -> datetime | None:
    """When a follow-up is to be answered; None while the exam is not over."""
    return moment(task.get("restriction", {}).get("period", {}).get("end"), desk.settings.zone)


def was_late(task: Resource, desk: Desk) -> bool:
    """Whether a follow-up was answered after its time, or is not answered though it is over."""
    by = due_at(task, desk)
    done = moment(task.get("executionPeriod", {}).get("end"), desk.settings.zone)
    return by is not None and (done or desk.now) > by
