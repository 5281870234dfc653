"""Earlier CT examinations of the patient, whatever carries them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.service import Resource

from slipring_order import catalogue
from slipring_order.facts import EarlierExam
from slipring_order.mapping import exam_of_concept
from slipring_order.reading import Pool, codes, first, moment

# When it was performed: the members of each carrier, in the order they count.
_WHEN = {
    "ImagingStudy": ("started",),
    "Procedure": ("performedDateTime", "performedPeriod"),
    "DiagnosticReport": ("effectiveDateTime", "effectivePeriod"),
    "ServiceRequest": ("occurrenceDateTime", "occurrencePeriod", "authoredOn"),
}
_DONE = {
    "ImagingStudy": frozenset({"available", "registered"}),
    "Procedure": frozenset({"completed"}),
    "DiagnosticReport": frozenset({"preliminary", "final", "amended", "corrected", "appended", "partial"}),
    "ServiceRequest": frozenset({"completed"}),
}


def earlier_exams(request: Resource, pool: Pool, now: datetime, zone: ZoneInfo) -> Iterator[EarlierExam]:
    """CT examinations of this patient, done before now and not for this request."""
    patient = pool.resolve(request.get("subject"), request)
    for resource in pool.of_type(*_WHEN):
        if resource is request or resource.get("status") not in _DONE[resource["resourceType"]]:
            continue
        if patient is None or not pool.same(resource.get("subject"), patient) or _for_this(resource, request, pool):
            continue
        regions = _regions(resource, pool)
        done_at = moment(first(resource, *_WHEN[resource["resourceType"]]), zone)
        if regions and done_at is not None and done_at <= now:
            yield EarlierExam(f"{resource['resourceType']}/{resource.get('id', '')}", done_at, regions)


def _for_this(resource: Resource, request: Resource, pool: Pool) -> bool:
    if resource["resourceType"] == "ServiceRequest":
        return bool(resource.get("id")) and resource.get("id") == request.get("id")
    return any(pool.same(reference, request) for reference in resource.get("basedOn", []))


def _regions(resource: Resource, pool: Pool) -> frozenset[str]:
    """The regions seen, or none when it was no CT."""
    if resource["resourceType"] == "ImagingStudy":
        return _regions_of_study(resource, pool)
    exam = exam_of_concept(resource.get("code"), pool)
    if exam is None:
        return frozenset()
    return exam.regions | catalogue.regions_of(code for site in resource.get("bodySite", []) for code in codes(site))


def _regions_of_study(study: Resource, pool: Pool) -> frozenset[str]:
    series: list[dict[str, Any]] = [s for s in study.get("series", []) if s.get("modality", {}).get("code") == "CT"]
    if not series and not any(modality.get("code") == "CT" for modality in study.get("modality", [])):
        return frozenset()
    sites = [str(s["bodySite"]["code"]) for s in series if s.get("bodySite", {}).get("code")]
    named = (exam_of_concept(concept, pool) for concept in study.get("procedureCode", []))
    exam = next((found for found in named if found is not None), None)
    return catalogue.regions_of(sites) | (exam.regions if exam else frozenset())
