"""Resources that speak to a request: answers that come later, dose reports, images."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slipring.fhir.service import Changes, Desk, Resource, Save, Stored, Write

from slipring_order import lifecycle, resources
from slipring_order.dose.compared import with_compared
from slipring_order.gathering.pregnancy_stated import LOINC, PREGNANCY_STATUS
from slipring_order.handlers.device_tests import is_device_test, test_written
from slipring_order.handlers.scanner_tests import on_a_scanner, result_written
from slipring_order.images.entered import study_compared
from slipring_order.judging.afterwork import answered
from slipring_order.judging.follow_ups import CODE as FOLLOW_UP
from slipring_order.judging.judge import exam_of, judged_again, status_changed_by
from slipring_order.life.moving import exam_follows
from slipring_order.life.shown import shown_at, shown_since
from slipring_order.life.stopped import stopped_at
from slipring_order.life.unpermitted import without_permission
from slipring_order.life.voiding import holders_told
from slipring_order.reading import has_code, instant, moment, reference_of, sought

DOSE_CODE = "73569-6"
_DONE = ("图像或剂量报告表明检查已进行", "Images or a dose report show the scan of an exam")
_NO_PROOF = frozenset({"registered", "cancelled", "entered-in-error"})  # of an ImagingStudy, or of a dose Observation


async def evidence_written(write: Write, desk: Desk) -> Changes:
    """Judge the requests anew that this resource speaks to: those it is based on, and the patient's waiting ones."""
    if write.imported or write.method == "delete":
        return Changes.none()
    resource = write.resource
    pregnancy = resource["resourceType"] == "Observation" and has_code(resource.get("code"), LOINC, PREGNANCY_STATUS)
    changes, done = Changes.none(), set()
    for request in [*await _based_on(resource, desk), *await _waiting_for(resource, desk)]:
        if request.reference in done:
            continue
        done.add(request.reference)
        exam = await exam_of(request.reference, desk)
        if exam is None:
            continue
        # Another pregnancy status voids a decision, but nothing takes an emergency's pass away.
        stat = request.resource.get("priority") == "stat"
        void = pregnancy and not stat and await status_changed_by(write, request.resource, desk)
        if void:
            changes = changes.plus(Changes(save=await holders_told(request.resource, exam, ["supportingInfo"], desk)))
        changes = changes.plus(await judged_again(request.resource, exam, desk, void=void))
        changes = changes.plus(Changes(save=await answered(request.resource, exam, desk)))
    return changes


async def observation_written(write: Write, desk: Desk) -> Changes:
    """A test result is about a device; a dose report shows that the scan was done; any other may be an answer."""
    if on_a_scanner(write):
        return await result_written(write, desk)
    if is_device_test(write.resource):
        return await test_written(write, desk)
    if write.method != "delete" and has_code(write.resource.get("code"), LOINC, DOSE_CODE):
        return (await images_written(write, desk)).plus(await _told_as(write.resource, desk))
    return await evidence_written(write, desk)


async def _told_as(observation: Resource, desk: Desk) -> Changes:
    """What a dose is compared as stands on it, whoever writes it."""
    said = await with_compared(observation, desk)
    return Changes.none() if said == observation.get("extension", []) else Changes(members={"extension": said or None})


async def images_written(write: Write, desk: Desk) -> Changes:
    """Images or a dose report of an exam: it is acquired, whether anybody had permitted it or not.

    Images that differ from their order, and what was marked as wrong or is not there yet, prove no scan.
    """
    if write.imported or write.method == "delete":
        return Changes.none()
    requests = await _based_on(write.resource, desk)
    differ: Sequence[Save] = ()
    if write.resource["resourceType"] == "ImagingStudy":
        differ = await study_compared(write.resource, requests, desk)
    changes = Changes(save=differ) if differ else Changes.none()
    if not _proves_a_scan(write.resource):
        return changes
    for request in requests:
        exam = await exam_of(request.reference, desk)
        if exam is not None and await _shows_its_scan(write, request, exam, desk, differs=bool(differ)):
            changes = changes.plus(Changes(save=await _scanned(exam, write.resource, desk)))
    return changes


async def _shows_its_scan(write: Write, request: Stored, exam: Stored, desk: Desk, *, differs: bool) -> bool:
    """Whether an exam that runs is shown to be done, or any other by what was not told of it before.

    Where it was stopped as wrong, only a scan that was made after that is its own.
    """
    was, zone = resources.state_of(exam.resource), desk.settings.zone
    if was == "acquired" or lifecycle.reported(was, "acquired") is None:
        return False
    stop = await stopped_at(exam, desk)
    if stop is not None and not shown_since(write.resource, stop, zone):
        return False
    if was == "in-progress" or differs:
        return was == "in-progress"
    before = write.before.resource if write.before else None
    if before is None or not _proves_a_scan(before) or (stop is not None and not shown_since(before, stop, zone)):
        return True
    return request.reference not in {one.reference for one in await _based_on(before, desk)}


def _proves_a_scan(resource: Resource) -> bool:
    return str(resource.get("status", "")) not in _NO_PROOF


async def _scanned(exam: Stored, evidence: Resource, desk: Desk) -> list[Save]:
    """The exam is acquired; what had no permission is moved all the same, and opens a nonconformity."""
    was = resources.state_of(exam.resource)
    period = {**exam.resource.get("executionPeriod", {})}
    period.setdefault("end", instant(_ended_at(evidence, period, desk)))
    saves = [resources.moved(exam, "acquired", desk.now, executionPeriod=period)]
    saves += await exam_follows(exam, "acquired", desk, period)
    if was != "in-progress":
        saves += await without_permission(exam, was, desk.caller.practitioner or "", _DONE, desk)
    return saves


def _ended_at(evidence: Resource, period: Resource, desk: Desk) -> datetime:
    """The last moment of scanning that it names, where that lies within the exam; else now, when it came."""
    zone = desk.settings.zone
    at, began = shown_at(evidence, zone), moment(period.get("start"), zone)
    return at if at is not None and at <= desk.now and (began is None or began <= at) else desk.now


async def _based_on(resource: Resource, desk: Desk) -> list[Stored]:
    found: list[Stored] = []
    for element in resource.get("basedOn", []):
        reference, identifier = reference_of(element), element.get("identifier", {})
        if reference.startswith("ServiceRequest/"):
            stored = await desk.read(reference)
            found += [stored] if stored else []
        elif not reference and identifier.get("value"):
            found += await desk.search(
                f"ServiceRequest?identifier={sought(identifier.get('system', ''))}|{sought(identifier['value'])}"
            )
    return found


async def _waiting_for(resource: Resource, desk: Desk) -> list[Stored]:
    patient = reference_of(resource.get("subject") or resource.get("patient"))
    if resource["resourceType"] == "Patient":
        patient = f"Patient/{resource['id']}"
    if not patient.startswith("Patient/"):
        return []
    # One look finds exams that wait for information, and what an emergency left to be made up for.
    tasks = await desk.search(f"Task?patient={patient}&status=on-hold,requested")
    waiting = [one.resource for one in tasks if not one.source and _waits(one.resource)]
    found = [await desk.read(reference_of(task.get("focus"))) for task in waiting]
    return [stored for stored in found if stored is not None]


def _waits(task: Resource) -> bool:
    if resources.is_exam(task):
        return resources.state_of(task) == "awaiting-information"
    return has_code(task.get("code"), resources.TASK_CODE_SYSTEM, FOLLOW_UP)
