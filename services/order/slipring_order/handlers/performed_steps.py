"""A scanner reports what it performs: the step is stored, its exam moves, an unlisted one opens a nonconformity."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

from slipring.fhir.outcome import conflict, not_found
from slipring.fhir.service import Changes, Desk, Resource, Save, Stored, successor

from slipring_order.dicom.step_facts import StepFacts
from slipring_order.judging.judge import exam_of
from slipring_order.life import performed
from slipring_order.reading import moment, reference_of, sought
from slipring_order.resources import ACSN_SYSTEM
from slipring_order.rooms.step import UID_SYSTEM, is_step

_OVER = frozenset({"completed", "stopped"})


async def step_begun(facts: StepFacts, device: str, desk: Desk) -> Changes:
    """Store a step that has begun; 409 when it is stored already. A rule never keeps it out."""
    if await step_on_record(facts.uid, desk) is not None:
        raise conflict(
            "This performed step is on record already.",
            "该检查步骤已登记。",
            at="Procedure.identifier",
            detail="order.step-on-record",
        )
    request = await _request(facts, desk)
    subject = request.resource["subject"] if request else await _subject(facts, desk)
    made = performed.procedure(facts, request, subject, device, id=desk.new_id())
    saves = [Save(made)]
    exam = await exam_of(request.reference, desk) if request else None
    if exam is not None:
        saves += await performed.exam_moved(facts, exam, device, desk)
    else:
        saves += performed.unlisted(facts, made, device, desk)
    return Changes(save=saves, keys=[f"mpps:{facts.uid}"], answer=made)


async def step_changed(facts: StepFacts, device: str, desk: Desk) -> Changes:
    """Store what is new about a step; 404 when it is not on record, 409 when it is over."""
    before = await step_on_record(facts.uid, desk)
    if before is None:
        raise not_found("Procedure")
    if before.resource.get("status") in _OVER:
        raise conflict(
            "This performed step is over and changes no more.",
            "该检查步骤已结束，不可再更改。",
            at="Procedure.status",
            detail="order.step-over",
        )
    saves = [successor(before, **performed.members(facts, before.resource))]
    request = reference_of(next(iter(before.resource.get("basedOn", [])), None))
    exam = await exam_of(request, desk) if request and facts.status else None
    if exam is not None:
        began = moment(before.resource.get("performedPeriod", {}).get("start"), desk.settings.zone)
        saves += await performed.exam_moved(replace(facts, started_at=facts.started_at or began), exam, device, desk)
    return Changes(save=saves, answer=saves[0].resource)


async def step_on_record(uid: str, desk: Desk) -> Stored | None:
    """The Procedure of a performed step."""
    found = await desk.search(f"Procedure?identifier={UID_SYSTEM}|urn:oid:{quote(uid, safe='')}")
    return next((one for one in found if not one.source), None)


async def _request(facts: StepFacts, desk: Desk) -> Stored | None:
    """The request: by the Study Instance UID that was reserved for it, else by the one imaging number."""
    if facts.study_uid:
        for task in await desk.search(f"Task?identifier={UID_SYSTEM}|urn:oid:{quote(facts.study_uid, safe='')}"):
            if is_step(task.resource) and (found := await desk.read(reference_of(task.resource.get("focus")))):
                return found
    for number in facts.imaging_numbers:
        held = await desk.search(f"ServiceRequest?identifier={ACSN_SYSTEM}|{quote(number, safe='')}")
        if len(held) == 1:
            return held[0]
    return None


async def _subject(facts: StepFacts, desk: Desk) -> Resource:
    """The patient with this number, when there is exactly one; else as the scanner names him."""
    if facts.patient_id:
        found = await desk.search(f"Patient?identifier={sought(facts.patient_id)}")
        if len(found) == 1:
            return {"reference": found[0].reference}
    return performed.unknown_subject(facts)
