"""The HIS merges records, or takes them apart: rules look at all records of the person, and open permissions wait."""

from __future__ import annotations

from slipring.fhir.merged import any_of, linked, merge_set
from slipring.fhir.outcome import FhirError, Issue, conflict, forbidden
from slipring.fhir.service import Changes, Desk, Resource, Stored, Write

from slipring_order import identity, resources
from slipring_order.gathering.patient import is_deceased
from slipring_order.handlers.evidence import evidence_written
from slipring_order.judging.afterwork import answered
from slipring_order.judging.follow_ups import CODE as FOLLOW_UP
from slipring_order.judging.judge import exam_of, judged_again
from slipring_order.life.voiding import holders_told
from slipring_order.lifecycle import BEFORE_THE_SCAN
from slipring_order.people import answering, demand, may_any
from slipring_order.reading import reference_of

_OPEN = (*sorted(BEFORE_THE_SCAN), "in-progress")
_CONFIRMING = ("operate-ct", "decide-justification", "give-contrast")


async def patient_written(write: Write, desk: Desk) -> Changes:
    """A completed record may answer what requests wait for; a merge or an unmerge asks who the patient is.

    A death that is recorded, or taken back, has every exam judged anew that has not begun.
    """
    before = linked(write.before.resource) if write.before else frozenset()
    if write.method != "delete" and linked(write.resource) != before:
        _demand_the_hospital(write, desk)
    if write.imported or write.method == "delete":
        return await evidence_written(write, desk)
    died = is_deceased(write.resource)
    if linked(write.resource) == before:
        if died != (write.before is not None and is_deceased(write.before.resource)):
            return await _judged_by_death(write, before, desk, died=died)
        return await evidence_written(write, desk)
    changes = Changes.none()
    for exam in await _open_exams(write.reference, before, desk):
        request = await desk.read(reference_of(exam.resource.get("focus")))
        changes = changes.plus(Changes(save=await identity.asked(exam, desk)))
        if request is not None:
            changes = changes.plus(await judged_again(request.resource, exam, desk, void=False))
    for order, exam in await _left_open(write.reference, desk):
        changes = changes.plus(Changes(save=await answered(order, exam, desk)))
    return changes


async def _judged_by_death(write: Write, linked_before: frozenset[str], desk: Desk, *, died: bool) -> Changes:
    """What was decided was about a living patient, and whoever decided is told; an emergency keeps its pass."""
    changes = Changes.none()
    for exam in await _open_exams(write.reference, linked_before, desk):
        request = await desk.read(reference_of(exam.resource.get("focus")))
        if request is None or resources.state_of(exam.resource) not in BEFORE_THE_SCAN:
            continue
        void = died and request.resource.get("priority") != "stat"
        if void:
            changes = changes.plus(Changes(save=await holders_told(request.resource, exam, ["subject"], desk)))
        changes = changes.plus(await judged_again(request.resource, exam, desk, void=void))
    return changes


def _demand_the_hospital(write: Write, desk: Desk) -> None:
    """403 for whoever may not write so about every patient: by a link, a token about one would reach another."""
    letters = "cu" if write.method == "create" else "u"  # who may update puts a deleted record anew
    if not any(grant.whole for letter in letters for grant in desk.caller.grants("Patient", letter)):
        raise forbidden(
            "Records are merged and taken apart by whoever may change every patient's.",
            "档案的合并与拆分须由有权修改全部患者档案者进行。",
            at="Patient.link",
            detail="order.merge-beyond-rights",
        )


async def _left_open(patient: str, desk: Desk) -> list[tuple[Resource, Stored]]:
    """The exams of the person of which an emergency left something open, each with its request."""
    person = any_of(await merge_set(patient, desk))
    asked = f"Task?patient={person}&code={resources.TASK_CODE_SYSTEM}|{FOLLOW_UP}&status=requested"
    found = {reference_of(one.resource.get("focus")) for one in await desk.search(asked) if not one.source}
    pairs = [(await desk.read(request), await exam_of(request, desk)) for request in sorted(found)]
    return [(request.resource, exam) for request, exam in pairs if request and exam]


async def _open_exams(patient: str, before: frozenset[str], desk: Desk) -> list[Stored]:
    """The exams that are not over, of everybody whose records were touched by this change."""
    person = await merge_set(patient, desk)
    for other in sorted(before - person):
        person |= await merge_set(other, desk)
    states = ",".join(f"{resources.STATE_SYSTEM}|{state}" for state in _OPEN)
    asked = f"Task?patient={any_of(person)}&code={resources.TASK_CODE_SYSTEM}|exam&business-status={states}"
    return [one for one in await desk.search(asked) if not one.source]


async def identity_confirmed(write: Write, desk: Desk) -> Changes:
    """A named person confirms or denies; nobody else opens or closes the question."""
    task = write.resource
    if write.before is None or not identity.is_confirmation(task):
        raise conflict(
            "The department asks for a confirmation itself when records are merged or taken apart.",
            "档案合并或拆分时由科室自动提出身份确认。",
            at="Task.code",
            detail="order.identity-asked-by-department",
        )
    was, target = write.before.resource.get("status"), task.get("status")
    if was == target:
        return Changes.none()
    if was == "completed" or target not in ("completed", "rejected"):
        raise conflict(
            f"A confirmation of identity that is {was} cannot become {target}. Legal: requested to completed or rejected.",
            f"身份确认处于 {was}，不能转为 {target}。可由 requested 转为 completed 或 rejected。",
            at="Task.status",
            detail="order.identity-illegal-move",
        )
    who = await answering(reference_of(task.get("owner")), "Task.owner", desk)
    if not who:
        issue = Issue(
            "required",
            zh="确认身份须注明确认人。",
            en="A confirmation of identity names who gives it.",
            at="Task.owner",
            detail="order.identity-unnamed",
        )
        raise FhirError(422, [issue])
    demand(await may_any(_CONFIRMING, who, desk), "Task.owner")
    return Changes.none()
