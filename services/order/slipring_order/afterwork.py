"""What one physician's word let pass in an emergency is made up for after the exam, and it is seen whether in time."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.fhir.merged import merge_set
from slipring.fhir.service import Desk, Resource, Save, Stored, successor
from slipring.rules.finding import Weight

from slipring_order import resources
from slipring_order.judgement import Judgement
from slipring_order.judging import judged
from slipring_order.reading import codes, instant, moment, reference_of
from slipring_order.rooms.identity import is_unidentified

CODE = "follow-up"
IDENTITY = "patient-identity"
_IDENTITY = (IDENTITY, "患者身份", "who the patient is")

Passed = list[tuple[str, str, str]]  # code, zh, en


async def open_points(request: Resource, judgement: Judgement, desk: Desk) -> Passed:
    """What is missing or asked on a request: items first, then rules, then who the patient is."""
    missing = [(item.code, item.zh, item.en) for item in judgement.missing]
    asked = [f for f in judgement.findings if f.weight is not Weight.INFO and f.rule != "order.request-complete"]
    found = [*missing, *((f.domain or f.rule, f.zh, f.en) for f in asked)]
    return [*found, _IDENTITY] if await _nobody_knows_who(request, desk) else found


async def answered(request: Resource, exam: Stored, desk: Desk) -> list[Save]:
    """The follow-up Tasks of an exam of which nothing is left open are completed; when is on record."""
    if request.get("priority") != "stat":
        return []
    waiting = await open_follow_ups(exam.reference, desk)
    if not waiting:
        return []
    left = {code for code, _, _ in await open_points(request, await judged(request, desk), desk)}
    period = {"end": instant(desk.now)}
    ended = {"status": "completed", "executionPeriod": period, "lastModified": instant(desk.now)}
    return [successor(one, **ended) for one in waiting if not left & passed_in(one.resource)]


async def open_follow_ups(exam: str, desk: Desk) -> list[Stored]:
    """What an emergency left to be made up for on an exam."""
    found = await desk.search(f"Task?part-of={exam}&code={resources.TASK_CODE_SYSTEM}|{CODE}&status=requested")
    return [one for one in found if not one.source]


async def now_due(exam: Stored, ended_at: datetime, desk: Desk) -> list[Save]:
    """The follow-ups of an exam that is over get the day by which they are to be answered."""
    hours = limit_hours(desk)
    period = {"start": instant(ended_at), "end": instant(ended_at + timedelta(hours=hours))}
    waiting = await open_follow_ups(exam.reference, desk)
    return [successor(one, restriction={"period": period}) for one in waiting if "restriction" not in one.resource]


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


async def _nobody_knows_who(request: Resource, desk: Desk) -> bool:
    """Whether every record of the person is one of somebody unknown."""
    subject = reference_of(request.get("subject"))
    own = await desk.read(subject) if subject.startswith("Patient/") else None
    if own is None or not is_unidentified(own.resource):
        return False
    records = [await desk.read(one) for one in await merge_set(subject, desk)]
    return all(is_unidentified(one.resource) for one in records if one)
