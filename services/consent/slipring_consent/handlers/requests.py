"""What happens when a request arrives or changes: a contrast request opens screening, once."""

from __future__ import annotations

from slipring.fhir.meaning import meaning, side_meant
from slipring.fhir.merged import merge_set
from slipring.fhir.service import Ahead, Arrival, Changes, Desk, Resource, Save, Stored, successor

from slipring_consent.contrast.exam import contrast_asked, needs_contrast, tasks_of, translated_to_contrast
from slipring_consent.handlers.alarms import at_the_injector
from slipring_consent.reading import is_coded, reference_of
from slipring_consent.resources import as_screening_task
from slipring_consent.screening.form import QUESTIONNAIRE_ID, questionnaire
from slipring_consent.screening.known import ANSWERED, answers_of, is_our_screening

OPEN = ("requested", "in-progress")
# A change of one of these asks a new question of the patient: screening and consent of this exam are void.
MATERIAL = ("code", "orderDetail", "bodySite")


def ahead(arrival: Arrival) -> Ahead:
    """What becomes of a request is asked of the Tasks about it."""
    return Ahead(queries=[tasks_of(arrival.reference)])


async def request_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """Open "screen and obtain consent" for a contrast request; close what a changed or ended request leaves open.

    The same request may arrive twice: the Task is looked up by its focus first, and the business key holds the line.
    """
    tasks = [
        stored
        for stored in await desk.search(tasks_of(arrival.reference))
        if is_coded(stored.resource.get("code"), "screening")
        and stored.resource["status"] not in ("cancelled", "entered-in-error")
    ]
    wanted = not arrival.deleted and await contrast_asked(arrival.reference, arrival.resource, desk)
    if arrival.resource.get("status") == "draft" or (not tasks and not wanted):
        return Changes.none()
    before = arrival.before.resource if arrival.before else None
    another = before is not None and await _materially_changed(before, arrival.resource, desk)
    if not wanted or arrival.resource.get("status") in ("revoked", "entered-in-error"):
        void = await _voided(arrival.reference, desk) if another else []
        return Changes(save=[*_cancelled(tasks), *void, *await _told(arrival, desk)])
    if arrival.resource.get("status") != "active":
        return Changes.none()
    if not tasks:
        return await _opened(arrival, desk, f"screening:{arrival.reference}")
    if another:
        void = [*_cancelled(tasks), *await _voided(arrival.reference, desk), *await _told(arrival, desk)]
        voided = Changes(save=void)
        return voided.plus(await _opened(arrival, desk, f"screening:{arrival.reference}/{arrival.version}"))
    return Changes.none()


async def exam_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """A request with a local code shows only by the exam's Task, which order translated, that contrast is meant."""
    before = [arrival.before.resource] if arrival.before else []
    if not (translated_to_contrast([arrival.resource]) or translated_to_contrast(before)):
        return Changes.none()
    request = await desk.read(reference_of(arrival.resource.get("focus")))
    if request is None or needs_contrast(request.resource):
        return Changes.none()
    return await request_arrived(Arrival(arrival.source, request.resource, request.version), desk)


async def _opened(arrival: Arrival, desk: Desk, key: str) -> Changes:
    save = [Save(as_screening_task(desk.new_id(), arrival.resource, now=desk.now))]
    if await desk.read(f"Questionnaire/{QUESTIONNAIRE_ID}") is None:  # beside an earlier version, which stays
        save.append(Save(questionnaire()))
    return Changes(save=save, keys=[key])


def _cancelled(tasks: list[Stored]) -> list[Save]:
    return [successor(task, status="cancelled") for task in tasks if task.resource["status"] in OPEN]


async def _materially_changed(before: Resource, after: Resource, desk: Desk) -> bool:
    """Another examination, side or patient; another spelling, or another record of the same person, is none."""
    if any(meaning(before.get(member)) != meaning(after.get(member)) for member in MATERIAL):
        return True
    if _site_words(before) != _site_words(after):  # they may say another side beside the same code
        return True
    was, subject = reference_of(before.get("subject")), reference_of(after.get("subject"))
    return side_meant(before) != side_meant(after) or (was != subject and subject not in await merge_set(was, desk))


def _site_words(request: Resource) -> list[str]:
    return sorted(str(site.get("text", "")) for site in request.get("bodySite", []))


async def _told(arrival: Arrival, desk: Desk) -> list[Save]:
    versions = [arrival.resource, *([arrival.before.resource] if arrival.before else [])]
    patients = [reference_of(one.get("subject")) for one in versions]
    zh, en = "申请已撤销或更改。", "the request was taken back or changed."
    return await at_the_injector(arrival.reference, patients, zh, en, desk)


async def _voided(exam: str, desk: Desk) -> list[Save]:
    """The standing consents and screenings of an exam that is no longer the one they were given for."""
    consents = await desk.search(f"Consent?data={exam}&status=active")
    responses = [
        stored
        for stored in await desk.search(answers_of(exam))
        if stored.resource.get("status") in ANSWERED and is_our_screening(stored.resource)
    ]
    return [successor(one, status="inactive") for one in consents] + [
        successor(one, status="stopped") for one in responses
    ]
