"""What happens to an exam or its patient while contrast is given: aborted, ended, merged, a new allergy; the injector is told."""

from __future__ import annotations

from slipring.fhir.service import Arrival, Changes, Desk, Resource, Save, Stored, Write

from slipring_consent.contrast.agents import is_contrast_allergy
from slipring_consent.handlers.alarms import at_injections, at_the_injector, running_of, untold
from slipring_consent.handlers.changed_facts import fact_arrived, patient_came
from slipring_consent.handlers.requests import exam_arrived
from slipring_consent.reading import codes_in, is_coded, reference_of
from slipring_consent.resources import EXAM_STATE
from slipring_consent.screening.history import stands

ABORT = ("http://hl7.org/fhir/CodeSystem/task-code", "abort")
_STATES = {
    "discontinued": ("检查已中止。", "the exam was discontinued."),
    "cancelled": ("检查已取消。", "the exam was cancelled."),
    "rejected": ("检查申请已退回。", "the exam was rejected."),
}
_HERE = ("arrived", "ready")  # before contrast is given the patient is asked once more
_ABORT = ("申请方请求中止检查。", "the placer asks that the exam be aborted.")
_IDENTITY = (
    "患者档案刚合并或拆分，身份待确认。",
    "the patient's records were merged or taken apart; confirm who it is.",
)
_ALLERGY = ("新登记了对比剂过敏。", "an allergy to contrast became known.")


async def task_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """A Task of order may open screening or ask it again, and may end what was permitted: the exam's end, an abort, a merge."""
    task = arrival.resource
    if is_coded(task.get("code"), "identity-confirmation"):
        asked = _newly(arrival, "requested") or _newly(arrival, "rejected")
        return Changes(save=await _told(task, *_IDENTITY, desk)) if asked else Changes.none()
    if ABORT in codes_in(task.get("code")):
        return Changes(save=await _told(task, *_ABORT, desk)) if _newly(arrival, "requested") else Changes.none()
    changes = await exam_arrived(arrival, desk)
    if not is_coded(task.get("code"), "exam"):
        return changes
    state, before = _state(task), _state(arrival.before.resource) if arrival.before else ""
    if state in _STATES and state != before:
        changes = changes.plus(Changes(save=await _told(task, *_STATES[state], desk)))
    if state in _HERE and before not in _HERE and not changes.save:
        changes = changes.plus(await patient_came(arrival, desk))
    return changes


async def allergy_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """Screenings are looked at again; where none stands, as in an emergency, the injector is told of the allergy itself."""
    changes = await fact_arrived(arrival, desk)
    before = arrival.before.resource if arrival.before else None
    if arrival.deleted or not _known_now(arrival.resource, before):
        return changes
    running = await running_of(reference_of(arrival.resource.get("patient")), desk)
    alarm = Changes(save=at_injections(running, *_ALLERGY, desk))
    return changes.plus(untold(alarm, changes))


async def allergy_written(write: Write, desk: Desk) -> Changes:
    """An allergy to contrast that is written down here is told at once to whoever gives contrast to this person."""
    before = write.before.resource if write.before else None
    if write.method == "delete" or write.imported or not _known_now(write.resource, before):
        return Changes.none()
    running: list[Stored] = await running_of(reference_of(write.resource.get("patient")), desk)
    return Changes(save=at_injections(running, *_ALLERGY, desk))


def _known_now(allergy: Resource, before: Resource | None) -> bool:
    """Whether an allergy to contrast stands that did not stand before."""
    return _to_contrast(allergy) and not (before is not None and _to_contrast(before))


def _to_contrast(allergy: Resource) -> bool:
    return stands(allergy) and is_contrast_allergy(allergy)


def _newly(arrival: Arrival, status: str) -> bool:
    before = arrival.before.resource.get("status") if arrival.before else ""
    return not arrival.deleted and arrival.resource.get("status") == status != before


def _state(task: Resource) -> str:
    return next((code for system, code in codes_in(task.get("businessStatus")) if system == EXAM_STATE), "")


async def _told(task: Resource, zh: str, en: str, desk: Desk) -> list[Save]:
    """The alarm on what runs for the request behind a Task."""
    named = [task.get("focus"), *task.get("basedOn", [])]
    exam = next((one for one in map(reference_of, named) if one.startswith("ServiceRequest/")), "")
    return await at_the_injector(exam, [reference_of(task.get("for"))], zh, en, desk) if exam else []
