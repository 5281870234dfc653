"""A request arrives, changes, or is taken back by its placer."""

from __future__ import annotations

from slipring.fhir.merged import merge_set
from slipring.fhir.outcome import conflict, unprocessable
from slipring.fhir.service import Changes, Desk, Resource, Save, Stored, Write

from slipring_order import resources
from slipring_order.downtime.kit import is_reserved, reserved_in
from slipring_order.gathering.form import questionnaire
from slipring_order.handlers.aborts import abort_for
from slipring_order.handlers.clocks import watched
from slipring_order.judging.afterwork import answered
from slipring_order.judging.contrast import contrast_of
from slipring_order.judging.judge import evidence, exam_of, judged, judged_again, pregnancy_changed
from slipring_order.judging.rule_set import INDEX, index
from slipring_order.life.cancelling import cancelled
from slipring_order.life.material import changed
from slipring_order.life.voiding import holders_told
from slipring_order.lifecycle import BEFORE_THE_SCAN
from slipring_order.reading import codes, reference_of

SEQUENCE = "imaging_number"
_ORDERS = frozenset({"order", "original-order", "reflex-order", "filler-order", "instance-order"})
_TAKEN_BACK = frozenset({"revoked", "entered-in-error"})
_IMAGING = frozenset({"363679005", "imaging", "RAD", "LP29684-5", "77477000"})


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
    await _refuse_another_patient(request, write.before, desk)
    if request.get("status") in _TAKEN_BACK:
        return await _taken_back(request, exam, desk)
    return await _changed(request, write.before, exam, desk)


def _is_work(request: Resource) -> bool:
    categories = [code for concept in request.get("category", []) for code in codes(concept)]
    imaging = not categories or any(code in _IMAGING for code in categories)
    return imaging and request.get("status") == "active" and request.get("intent") in _ORDERS


async def _received(request: Resource, desk: Desk) -> Changes:
    number = await _number(request, desk)
    judgement = await judged(request, desk)
    task = resources.exam_task(request, number, judgement, id=desk.new_id(), now=desk.now)
    shown = await contrast_of(request, task, judgement.outcome, judgement.facts, desk)
    task = {name: value for name, value in {**task, **shown}.items() if value is not None}
    identifiers = resources.department_identifiers(request, number)
    saves = [Save(task), *evidence(request, number, judgement, desk), *await _replaced(request, desk)]
    saves += await _form(desk)
    wake = [watched(f"Task/{task['id']}")] if request.get("priority") == "stat" else []
    return Changes(append={"identifier": identifiers}, save=saves, wake=wake)


async def _form(desk: Desk) -> list[Save]:
    """What stands here from the first request on: the form with the questions, and the list of rule sets, still empty."""
    if await desk.read(INDEX) is not None:  # they came together
        return []
    shipped = (questionnaire(), index(()))
    return [Save(one) for one in shipped if await desk.read(f"{one['resourceType']}/{one['id']}") is None]


async def form_written(write: Write, desk: Desk) -> Changes:
    """The form of the requests is part of the service: answers refer to it, and it is not taken away."""
    if write.method == "delete" and write.resource["id"] == questionnaire()["id"]:
        raise conflict(
            "The request form is part of the service and stays.",
            "申请表单为系统组成部分，不可删除。",
            at="Questionnaire",
            detail="order.request-form-is-kept",
        )
    return Changes.none()


async def _number(request: Resource, desk: Desk) -> str:
    """The next imaging number, or the one that was printed on the form which is entered afterwards."""
    reserved = reserved_in(request)
    if not reserved:
        sequence = await desk.next_value(SEQUENCE)
        return resources.imaging_number(desk.settings.number_prefix, desk.now, sequence, desk.settings.zone)
    if not await is_reserved(reserved, desk):
        raise unprocessable(
            "This imaging number was not reserved for downtime.",
            "该影像检查号未作停机预留。",
            at="ServiceRequest.extension",
            detail="order.reserved-number-unknown",
        )
    return reserved


async def _replaced(request: Resource, desk: Desk) -> list[Save]:
    """The exams that this request takes the place of are cancelled, where their scan has not begun."""
    saves: list[Save] = []
    for position, element in enumerate(request.get("replaces", [])):
        earlier = await desk.read(reference_of(element))
        if earlier is None:
            continue
        subject = reference_of(request.get("subject"))
        if reference_of(earlier.resource.get("subject")) not in await merge_set(subject, desk):
            raise unprocessable(
                "A request takes the place of one of the same patient only.",
                "只能替代同一患者的申请。",
                at=f"ServiceRequest.replaces[{position}]",
                detail="order.replaces-another-patient",
            )
        exam = await exam_of(earlier.reference, desk)
        if exam is not None and resources.state_of(exam.resource) in BEFORE_THE_SCAN:
            saves += await cancelled(exam, "replaced", desk)
    return saves


async def _taken_back(request: Resource, exam: Stored, desk: Desk) -> Changes:
    """Cancelled by the placer; once the scan has begun he can only ask, and the department answers."""
    state = resources.state_of(exam.resource)
    if state in BEFORE_THE_SCAN:
        return Changes(save=await cancelled(exam, str(request["status"]), desk))
    return Changes(save=await abort_for(request, exam, desk) if state == "in-progress" else [])


async def _changed(request: Resource, before: Stored | None, exam: Stored, desk: Desk) -> Changes:
    """What a new version of a request does to what was decided on the earlier one (mechanisms: material elements)."""
    old: Resource = before.resource if before else {}
    found = changed(old, request)
    other_exam = [name for name, kind in found.items() if kind == "exam"]
    if other_exam and resources.state_of(exam.resource) not in BEFORE_THE_SCAN:
        raise unprocessable(
            "The scan has begun: a changed examination is a new request that replaces this one.",
            "检查已开始：更改检查内容须另开申请并注明替代。",
            at=f"ServiceRequest.{other_exam[0]}",
            detail="order.material-change",
        )
    made_up = Changes(save=await answered(request, exam, desk))
    if "priority" in found and request.get("priority") == "stat":
        made_up = made_up.plus(Changes(wake=[watched(exam.reference)]))
    if other_exam:
        told = await holders_told(request, exam, other_exam, desk)
        return made_up.plus(Changes(save=told)).plus(await judged_again(request, exam, desk, void=True, unbook=True))
    if "supportingInfo" in found and await pregnancy_changed(old, request, desk):
        told = await holders_told(request, exam, ["supportingInfo"], desk)
        void = request.get("priority") != "stat"
        return made_up.plus(Changes(save=told)).plus(await judged_again(request, exam, desk, void=void))
    return made_up.plus(await judged_again(request, exam, desk, void=False, keep=set(found) == {"priority"}))


async def _refuse_another_patient(request: Resource, before: Stored | None, desk: Desk) -> None:
    """Another record of the same person, after a merge, is no other patient."""
    was, target = [reference_of(one.get("subject")) for one in (before.resource if before else request, request)]
    if was != target and target not in await merge_set(was, desk):
        raise unprocessable(
            "The patient of a request never changes: cancel it and order anew.",
            "申请的患者不可更改：请取消后重新申请。",
            at="ServiceRequest.subject",
            detail="order.material-change",
        )
