"""What images say of themselves: from a DICOM header, or from an ImagingStudy that somebody entered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from slipring.fhir.service import Resource

from slipring_order import catalogue
from slipring_order.dose.text import repaired, text_of
from slipring_order.gathering.sides import sides_named, sides_of
from slipring_order.images.facts import Identity, ImageHeader
from slipring_order.images.names import together as forms_of
from slipring_order.images.words import regions_in, shown_by
from slipring_order.reading import codes, identifier_of

if TYPE_CHECKING:  # a service without a DICOM port starts without it
    from pydicom.dataset import Dataset

_SEX = {"M": "male", "F": "female"}
_WORDS = ("StudyDescription", "SeriesDescription", "ProtocolName", "RequestedProcedureDescription")


class NotAnImage(ValueError):
    """The dataset has no study: nothing can be held against an order."""


def header_of(dataset: Dataset) -> ImageHeader:
    """Read the header of one DICOM image or report; anything unreadable is said as NotAnImage."""
    try:
        return _header(dataset)
    except NotAnImage:
        raise
    except Exception as problem:  # elements are decoded when they are looked at; what bytes may raise is no closed list
        raise NotAnImage(f"the header cannot be read ({type(problem).__name__})") from problem


def _header(dataset: Dataset) -> ImageHeader:
    say = text_of(dataset)
    study = say(dataset.get("StudyInstanceUID"))
    if not study:
        raise NotAnImage("the header names no study (0020,000D)")
    part = repaired(dataset.get("BodyPartExamined"))  # a code has no character set: one in words is decoded wrongly
    words = [*(say(dataset.get(name)) for name in _WORDS), part]
    han, latin = forms_of(name for written in _written(dataset) for name in _names(written))
    born = say(dataset.get("PatientBirthDate"))
    return ImageHeader(
        study_uid=study,
        accession=say(dataset.get("AccessionNumber")),
        identity=Identity(
            numbers=frozenset(_numbers(dataset, say)),
            han_names=han,
            latin_names=latin,
            birth_date=f"{born[:4]}-{born[4:6]}-{born[6:]}" if len(born) == len("19700101") and born.isdigit() else "",
            sex=_SEX.get(say(dataset.get("PatientSex")).upper(), ""),
        ),
        regions=shown_by([part, *_parts(dataset, say)]),
        sides=sides_named(_sides(dataset, say), ()),
        described_regions=regions_in(words),
        described_sides=sides_named((), words),
    )


def header_of_study(study: Resource, patient: Resource | None) -> ImageHeader:
    """Read an ImagingStudy; who it is of is what its subject says: the Patient resource, or an identifier."""
    series: list[dict[str, Any]] = study.get("series", [])
    sites = [entry["bodySite"] for entry in series if entry.get("bodySite", {}).get("code")]
    words = [str(text) for text in (study.get("description"), *(entry.get("description") for entry in series)) if text]
    uids = [str(one.get("value", "")) for one in study.get("identifier", []) if one.get("system") == "urn:dicom:uid"]
    number = (identifier_of(study, "ACSN") or {}).get("value")
    told = study.get("subject", {}).get("identifier", {}).get("value")
    identity = identity_of(patient) if patient else Identity(numbers=frozenset({str(told)} if told else ()))
    return ImageHeader(
        study_uid=next(iter(uids), "").removeprefix("urn:oid:"),
        accession=str(number or ""),
        identity=identity,
        regions=shown_by(str(site["code"]) for site in sites),
        sides=sides_of({"series": series}),
        described_regions=regions_in(words),
        described_sides=sides_named((), words),
    )


def identity_of(patient: Resource) -> Identity:
    """Who a Patient resource is."""
    names = [[str(name.get("family", "")), *map(str, name.get("given", []))] for name in patient.get("name", [])]
    names += [[str(name["text"])] for name in patient.get("name", []) if name.get("text")]
    han, latin = forms_of(names)
    return Identity(
        numbers=frozenset(str(one["value"]).strip() for one in patient.get("identifier", []) if one.get("value")),
        han_names=han,
        latin_names=latin,
        birth_date=str(patient.get("birthDate", "")),
        sex=str(patient.get("gender", "")),
    )


def together(identities: Iterable[Identity]) -> Identity:
    """Several records of one person: every number and name counts; birth date and sex are those of the first."""
    held = list(identities) or [Identity()]
    return Identity(
        numbers=frozenset().union(*(each.numbers for each in held)),
        han_names=frozenset().union(*(each.han_names for each in held)),
        latin_names=frozenset().union(*(each.latin_names for each in held)),
        birth_date=held[0].birth_date,
        sex=held[0].sex,
    )


def order_side(request: Resource) -> tuple[frozenset[str], frozenset[str]]:
    """Regions and sides that a request asks for, by body site and exam code, else by their words."""
    concepts = [*request.get("bodySite", []), request.get("code", {})]
    coded = [code for concept in concepts for code in codes(concept)]
    words = [str(c.get("display", "")) for concept in concepts for c in concept.get("coding", [])]
    words += [str(concept["text"]) for concept in concepts if concept.get("text")]
    exam = catalogue.exam_of(codes(request.get("code")))
    regions = catalogue.regions_of(coded) | (exam.regions if exam else frozenset())
    return regions or regions_in(words), sides_of(request) or sides_named((), words)


def _names(written: str) -> Iterator[list[str]]:
    """The groups of a DICOM person name: alphabetic, ideographic, phonetic; family and given name first."""
    for group in written.split("="):
        parts = group.split("^")[:3]
        if any(parts):
            yield parts


def _numbers(dataset: Dataset, say: Any) -> Iterator[str]:
    yield from filter(None, [say(dataset.get("PatientID"))])
    for other in dataset.get("OtherPatientIDsSequence") or ():
        yield from filter(None, [say(other.get("PatientID"))])


def _written(dataset: Dataset) -> Iterator[str]:
    """The patient's name as the file says it is written, and as consoles write it that say Latin and mean Chinese."""
    name = dataset.get("PatientName")
    yield text_of(dataset)(name)
    yield repaired(name)


def _parts(dataset: Dataset, say: Any) -> Iterator[str]:
    for described in (dataset, *_frame_anatomy(dataset)):
        for region in described.get("AnatomicRegionSequence") or ():
            yield say(region.get("CodeValue"))


def _sides(dataset: Dataset, say: Any) -> Iterator[str]:
    for name in ("Laterality", "ImageLaterality"):
        yield say(dataset.get(name)).upper()
    for described in _frame_anatomy(dataset):
        yield say(described.get("FrameLaterality")).upper()


def _frame_anatomy(dataset: Dataset) -> Iterator[Dataset]:
    """Where an enhanced image says part and side: in the functional groups that its frames share (C.7.6.16.2.8)."""
    for group in dataset.get("SharedFunctionalGroupsSequence") or ():
        yield from group.get("FrameAnatomySequence") or ()
