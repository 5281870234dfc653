"""Headers of images as they arrive from scanner or archive: the study goes on record and is held against its order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from slipring.fhir.service import Changes, Desk, Resource, Save, Stored, successor

from slipring_order.dose import tree
from slipring_order.dose.text import text_of
from slipring_order.images.comparing import compared
from slipring_order.images.exam import request_of, study_of
from slipring_order.images.facts import ImageHeader
from slipring_order.images.reading import header_of
from slipring_order.reading import instant
from slipring_order.resources import ACSN_SYSTEM

if TYPE_CHECKING:  # a service without a DICOM port starts without it
    from pydicom.dataset import Dataset

_DCM = "http://dicom.nema.org/resources/ontology/DCM"
_V2_0203 = "http://terminology.hl7.org/CodeSystem/v2-0203"


async def take_image_header(dataset: Dataset, desk: Desk) -> Changes:
    """Take the header of one image: ImagingStudy and series on record, differences to the order as findings.

    One image of a series is enough; more of the same series change nothing. NotAnImage when no study is named.
    """
    image = header_of(dataset)
    study = await study_of(image.study_uid, desk)
    request = await request_of(image.study_uid, image.accession, desk)
    series = series_of(dataset)
    saves = []
    if study is None:
        tree_of_study = _new_study(dataset, image, request, series, desk)
        saves.append(Save(tree_of_study))
        about = f"ImagingStudy/{tree_of_study['id']}"
    else:
        about = study.reference
        held = {entry.get("uid") for entry in study.resource.get("series", [])}
        if series and series["uid"] not in held:
            saves.append(successor(study, series=[*study.resource.get("series", []), series]))
    return Changes(save=[*saves, *await compared(image, request, about, desk)])


def series_of(dataset: Dataset) -> Resource | None:
    """The series of an image as an ImagingStudy lists it; None when the header names none."""
    say = text_of(dataset)
    uid = say(dataset.get("SeriesInstanceUID"))
    if not uid:
        return None
    return {"uid": uid, **dict(_series_members(dataset, say))}


def _series_members(dataset: Dataset, say: Any) -> Iterator[tuple[str, Any]]:
    number = say(dataset.get("SeriesNumber"))
    if number.isdigit():
        yield "number", int(number)
    yield "modality", {"system": _DCM, "code": say(dataset.get("Modality")) or "CT"}
    if description := say(dataset.get("SeriesDescription")):
        yield "description", description
    if part := say(dataset.get("BodyPartExamined")):
        yield "bodySite", {"system": _DCM, "code": part}
    if side := say(dataset.get("Laterality")) or say(dataset.get("ImageLaterality")):
        yield "laterality", {"system": _DCM, "code": side}


def _new_study(
    dataset: Dataset, image: ImageHeader, request: Stored | None, series: Resource | None, desk: Desk
) -> Resource:
    say = text_of(dataset)
    number = next(iter(sorted(image.identity.numbers)), "")
    unknown = {"identifier": {"value": number}} if number else {"display": "unknown"}
    identifiers: list[Resource] = [{"system": "urn:dicom:uid", "value": f"urn:oid:{image.study_uid}"}]
    if image.accession:
        kind = {"coding": [{"system": _V2_0203, "code": "ACSN"}]}
        identifiers.append({"type": kind, "system": ACSN_SYSTEM, "value": image.accession})
    began = tree.instant(_when(dataset, say), desk.settings.zone)
    study: Resource = {
        "resourceType": "ImagingStudy",
        "id": desk.new_id(),
        "identifier": identifiers,
        "status": "registered",
        "modality": [{"system": _DCM, "code": say(dataset.get("Modality")) or "CT"}],
        "subject": request.resource["subject"] if request else unknown,
        "basedOn": [{"reference": request.reference}] if request else None,
        "started": instant(began) if began else None,
        "description": say(dataset.get("StudyDescription")) or None,
        "series": [series] if series else None,
    }
    return {name: value for name, value in study.items() if value is not None}


def _when(dataset: Dataset, say: Any) -> str:
    day, time = say(dataset.get("StudyDate")), say(dataset.get("StudyTime")).partition(".")[0]
    return f"{day}{time}" if day.isdigit() and (not time or time.isdigit()) else ""
