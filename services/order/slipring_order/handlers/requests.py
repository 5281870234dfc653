"""A request arrives, changes, or is taken back by its placer."""

from __future__ import annotations

from typing import Any

from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import Changes, Desk, Resource, Save, Stored, Write

from slipring_order import resources
from slipring_order.judging import contrast_shown, evidence, exam_of, judged, judged_again
from slipring_order.lifecycle import BEFORE_THE_SCAN
from slipring_order.reading import codes, reference_of
from slipring_order.rooms.following import step_follows

SEQUENCE = "imaging_number"
_ORDERS = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
_TAKEN_BACK = frozenset({"revoked", "entered-in-error"})
_IMAGING = frozenset({"363679005", "imaging", "RAD", "LP29684-5", "77477000"})
# What decides which examination it is: a change after the scan began would be a silent edit.
_WHICH_EXAM = ("code", "bodySite", "orderDetail")


async def request_written(write: Write, desk: Desk) -> Changes:
    """Give a new CT request its numbers and its exam Task, judge it, and judge it again when it changes.

    A request that is imported, not yet active or not for imaging is kept as it is.
    """
    if write.imported or write.method == "delete":
        return Changes.none()
    request = write.resource
    exam = await exam_of(write.reference, desk) if write.before else None
    if exam is None:
        return await _received(request, desk) if _is_work(request) else Changes.none()
    _refuse_another_patient(request, write.before)
    if request.get("status") in _TAKEN_BACK:
        return await _taken_back(exam, desk)
    return await _changed(request, write.before, exam, desk)


def _is_work(request: Resource) -> bool:
    categories = [code for concept in request.get("category", []) for code in codes(concept)]
    imaging = not categories or any(code in _IMAGING for code in categories)
    return imaging and request.get("status") == "active" and request.get("intent") in _ORDERS


async def _received(request: Resource, desk: Desk) -> Changes:
    settings = desk.settings
    sequence = await desk.next_value(SEQUENCE)
    number = resources.imaging_number(settings.number_prefix, desk.now, sequence, settings.zone)
    judgement = await judged(request, desk)
    task = resources.exam_task(request, number, judgement, id=desk.new_id(), now=desk.now)
    shown = await contrast_shown(request, task, judgement.outcome, desk)
    task = {name: value for name, value in {**task, **shown}.items() if value is not None}
    identifiers = resources.department_identifiers(request, number)
    return Changes(append={"identifier": identifiers}, save=[Save(task), *evidence(request, number, judgement, desk)])


async def _taken_back(exam: Stored, desk: Desk) -> Changes:
    """Cancelled by the placer; once the scan has begun, only the department can end it."""
    if resources.state_of(exam.resource) not in BEFORE_THE_SCAN:
        return Changes.none()
    return Changes(save=[resources.moved(exam, "cancelled", desk.now), *await step_follows(exam, "cancelled", desk)])


async def _changed(request: Resource, before: Stored | None, exam: Stored, desk: Desk) -> Changes:
    old: dict[str, Any] = before.resource if before else {}
    other_exam = [name for name in _WHICH_EXAM if request.get(name) != old.get(name)]
    if other_exam and resources.state_of(exam.resource) not in BEFORE_THE_SCAN:
        raise unprocessable(
            "The scan has begun: a changed examination is a new request that replaces this one.",
            "检查已开始：更改检查内容须另开申请并注明替代。",
            at=f"ServiceRequest.{other_exam[0]}",
            detail="order.material-change",
        )
    return await judged_again(request, exam, desk, void=bool(other_exam))


def _refuse_another_patient(request: Resource, before: Stored | None) -> None:
    if before and reference_of(request.get("subject")) != reference_of(before.resource.get("subject")):
        raise unprocessable(
            "The patient of a request never changes: cancel it and order anew.",
            "申请的患者不可更改：请取消后重新申请。",
            at="ServiceRequest.subject",
            detail="order.material-change",
        )
