"""Which exam images or a dose report belong to."""

from __future__ import annotations

from urllib.parse import quote

from slipring.fhir.service import Desk, Resource, Stored

from slipring_order.reading import reference_of
from slipring_order.resources import ACSN_SYSTEM
from slipring_order.rooms.step import UID_SYSTEM, is_step


async def request_of(study_uid: str, accession: str, desk: Desk) -> Stored | None:
    """The request: by the Study Instance UID reserved for it, by the study on record, else by the imaging number.

    The UID counts first: it comes from the worklist, while a number may have been typed at the console.
    """
    if study_uid:
        for task in await desk.search(f"Task?identifier={UID_SYSTEM}|urn:oid:{quote(study_uid)}"):
            if is_step(task.resource) and (found := await _request(task.resource.get("focus"), desk)):
                return found
        study = await study_of(study_uid, desk)
        for element in study.resource.get("basedOn", []) if study else []:
            if found := await _request(element, desk):
                return found
    return await request_by_number(accession, desk)


async def request_by_number(number: str, desk: Desk) -> Stored | None:
    """The request that was given this imaging number."""
    if not number:
        return None
    found = await desk.search(f"ServiceRequest?identifier={ACSN_SYSTEM}|{quote(number, safe='')}")
    return found[0] if len(found) == 1 else None


async def study_of(study_uid: str, desk: Desk) -> Stored | None:
    """The ImagingStudy on record under a Study Instance UID."""
    found = await desk.search(f"ImagingStudy?identifier={UID_SYSTEM}|urn:oid:{quote(study_uid)}") if study_uid else []
    return next((each for each in found if not each.source), None)


async def patient_of(request: Resource, desk: Desk) -> Resource | None:
    """The patient a request is for."""
    reference = reference_of(request.get("subject"))
    stored = await desk.read(reference) if reference.startswith("Patient/") else None
    return stored.resource if stored else None


async def _request(element: Resource | None, desk: Desk) -> Stored | None:
    reference = reference_of(element)
    return await desk.read(reference) if reference.startswith("ServiceRequest/") else None
