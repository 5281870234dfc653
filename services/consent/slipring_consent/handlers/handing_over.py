"""A severe reaction and critical: told in the same commit, taken over by a case that comes back, or shown as overdue."""

from __future__ import annotations

from slipring.fhir.outcome import conflict
from slipring.fhir.service import Arrival, Changes, Desk, Due, Resource, Save, Stored, Wake, Write, successor

from slipring_consent.contrast.exam import exam_of_administration
from slipring_consent.department import settings_of
from slipring_consent.reactions.handing_over import (
    as_finding,
    as_handover,
    as_telephone,
    finding_id,
    handover_id,
    state,
    timer_key,
    to_be_told,
)
from slipring_consent.reactions.said import FOR_EXAM, happened, suspects_of
from slipring_consent.reading import extension_value, has_code, instant, reference_of
from slipring_consent.resources import TASK_CODE

OVERDUE = "handover-overdue"


async def exam_behind(event: Resource, desk: Desk) -> str:
    """The request during whose exam a reaction happened: as it is told, or as the injection tells it; empty if neither does."""
    told = reference_of(extension_value(event, FOR_EXAM))
    if told.startswith("ServiceRequest/"):
        return told
    for reference in suspects_of(event, "MedicationAdministration"):
        given = await desk.read(reference)
        if given is not None and (exam := exam_of_administration(given.resource)):
            return exam
    return ""


async def handed_over(event: Resource, desk: Desk) -> Changes:
    """A reaction that is or becomes severe is handed over, once each time; one that proves wrong or milder is taken back aloud.

    One that becomes severe again is told anew, since the case of the first time may be closed and then runs for nobody.
    """
    raised, finding = await last_told(event, desk)
    if finding is not None and (not to_be_told(event) or finding.resource.get("status") == "preliminary"):
        return await _taken_back(event, finding, raised, desk)
    if not to_be_told(event):
        return Changes.none()
    raised += 1
    who = desk.caller.practitioner or reference_of(event.get("recorder"))
    within = settings_of(desk).hand_over_within
    task = as_handover(event, who, within=within, raised=raised, now=desk.now)
    told = as_finding(event, await exam_behind(event, desk), who, raised=raised, now=desk.now)
    wake = Wake(OVERDUE, f"Task/{task['id']}", after=within, key=timer_key(task["id"]))
    return Changes(save=[Save(told), Save(task)], wake=[wake])


async def last_told(event: Resource, desk: Desk) -> tuple[int, Stored | None]:
    """How often a reaction was handed over, and the finding of the last time."""
    raised, last = 0, None
    while (found := await desk.read(f"Observation/{finding_id(event, raised + 1)}")) is not None:
        raised, last = raised + 1, found
    return raised, last


async def _taken_back(event: Resource, finding: Stored, raised: int, desk: Desk) -> Changes:
    """What was told is no longer so: the finding says it, and a hand-over that nobody has taken yet ends."""
    status = "preliminary" if to_be_told(event) else "corrected" if happened(event) else "entered-in-error"
    if finding.resource.get("status") == status:
        return Changes.none()
    save = [successor(finding, status=status, issued=instant(desk.now))]
    handover = await desk.read(f"Task/{handover_id(event, raised)}")
    if happened(event) or handover is None or handover.resource["status"] == "completed":
        return Changes(save=save)
    ended = successor(handover, status="cancelled", lastModified=instant(desk.now))
    return Changes(save=[*save, ended], cancel=[timer_key(handover.resource["id"])])


async def case_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """Critical's case came back: the hand-over is done."""
    changes = Changes.none()
    if arrival.deleted:
        return changes
    for named in (reference_of(one) for one in arrival.resource.get("basedOn", [])):
        handover = await desk.read(named) if named.startswith("Task/") else None
        if handover is None or handover.source or not is_handover(handover.resource):
            continue
        if handover.resource["status"] == "completed":
            continue
        done = successor(
            handover,
            status="completed",
            businessStatus=state("taken-over"),
            lastModified=instant(desk.now),
            output=[{"type": {"text": "critical case"}, "valueReference": {"reference": arrival.reference}}],
        )
        changes = changes.plus(Changes(save=[done], cancel=[timer_key(handover.resource["id"])]))
    return changes


async def handover_overdue(due: Due, desk: Desk) -> Changes:
    """Nobody took the reaction over in time: the hand-over says so, and whoever saw the reaction is asked to telephone."""
    handover = await desk.read(due.subject)
    if handover is None or handover.resource["status"] in ("completed", "cancelled"):
        return Changes.none()
    late = successor(handover, businessStatus=state("overdue"), lastModified=instant(desk.now))
    return Changes(save=[late, Save(as_telephone(desk.new_id(), handover.resource, now=desk.now))])


def is_handover(task: Resource) -> bool:
    """Whether a Task is a hand-over."""
    return has_code(task.get("code"), TASK_CODE, "hand-over")


def refuse_by_hand(write: Write) -> None:
    """A hand-over is opened by a severe reaction and closed by critical's case alone."""
    trees = [write.resource, *([write.before.resource] if write.before else [])]
    if not write.imported and any(map(is_handover, trees)):
        raise conflict(
            "A hand-over is opened by a severe reaction and closed by the critical service taking it over.",
            "危急值移交由重度不良反应生成，由危急值服务接收后关闭。",
            at="Task.code",
            detail="consent.hand-over-by-reaction",
        )
