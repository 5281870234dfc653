"""Earlier CT examinations of the patient, whatever carries them; several carriers of one are one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.service import Resource

from slipring_order.facts import EarlierExam
from slipring_order.gathering.institutions import institution_of, numbered_by_us
from slipring_order.gathering.sides import sides_of
from slipring_order.gathering.sites import regions_of, regions_of_study, words
from slipring_order.lifecycle import SCANNED
from slipring_order.offer.mapping import exam_of_concept
from slipring_order.reading import Pool, codes, first, moment, reference_of
from slipring_order.resources import is_exam, state_of

# When it was performed: the members of each carrier, in the order they count; the surest carrier first.
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
_POINTERS = ("basedOn", "imagingStudy", "report", "procedureReference")
_SAYS_CT = re.compile(r"(?<![a-z])ct(?![a-z])", re.IGNORECASE)
_CT = frozenset({"CT", "77477000"})  # DICOM modality and v2-0074 section; SNOMED CT computed tomography


@dataclass(frozen=True, slots=True)
class _Carrier:
    """One resource that tells of an examination, with the keys that tie it to others of the same one."""

    resource: Resource
    keys: frozenset[str]
    regions: frozenset[str]
    is_ct: bool
    done_at: datetime | None

    @property
    def type(self) -> str:
        return str(self.resource["resourceType"])


def earlier_exams(
    request: Resource, pool: Pool, now: datetime, zone: ZoneInfo, own: frozenset[str] = frozenset()
) -> Iterator[EarlierExam]:
    """CT examinations of this patient, done before now and not for this request; `own` names this hospital."""
    patient = pool.resolve(request.get("subject"), request)
    scanned = _scanned_here(pool)
    carriers = [
        _carrier(resource, scanned, pool, zone)
        for resource in pool.of_type(*_WHEN)
        if resource is not request
        and (resource.get("status") in _DONE[resource["resourceType"]] or _reference(resource) in scanned)
        and patient is not None
        and pool.same(resource.get("subject"), patient)
    ]
    for group in _examinations(carriers, zone):
        found = None if any(_for_this(c.resource, request, pool) for c in group) else _examination(group, pool, own)
        if found is not None and found.done_at <= now:
            yield found


def _scanned_here(pool: Pool) -> Mapping[str, Any]:
    """When the exams of this department were scanned, by their requests: the placer may not have closed those yet."""
    return {
        reference_of(request): first(exam, "executionPeriod", "lastModified")
        for exam in pool.of_type("Task")
        if is_exam(exam) and state_of(exam) in SCANNED
        for request in exam.get("basedOn", [])
    }


def _carrier(resource: Resource, scanned: Mapping[str, Any], pool: Pool, zone: ZoneInfo) -> _Carrier:
    read = _regions_of_study if resource["resourceType"] == "ImagingStudy" else _regions
    regions, is_ct = read(resource, pool)
    when = scanned.get(_reference(resource)) or first(resource, *_WHEN[resource["resourceType"]])
    done_at = moment(when, zone)
    return _Carrier(resource, frozenset(_keys(resource)), regions, is_ct, done_at)


def _examinations(carriers: Iterable[_Carrier], zone: ZoneInfo) -> list[list[_Carrier]]:
    """Put together what points at the same; then what tells of the same day and region in different carriers."""
    groups: list[list[_Carrier]] = []
    for carrier in carriers:
        tied = [group for group in groups if any(carrier.keys & other.keys for other in group)]
        groups = [group for group in groups if not any(group is one for one in tied)]
        groups.append([*(other for group in tied for other in group), carrier])
    whole: list[list[_Carrier]] = []
    for group in groups:
        twin = next((other for other in whole if _one_examination(group, other, zone)), None)
        if twin is None:
            whole.append(group)
        else:
            twin.extend(group)
    return whole


def _one_examination(some: list[_Carrier], others: list[_Carrier], zone: ZoneInfo) -> bool:
    if {carrier.type for carrier in some} & {carrier.type for carrier in others}:
        return False
    one, other = _done_at(some), _done_at(others)
    if one is None or other is None or one.astimezone(zone).date() != other.astimezone(zone).date():
        return False
    regions, also = (frozenset[str]().union(*(c.regions for c in group)) for group in (some, others))
    if not regions & also:
        return False
    sides, too = (frozenset[str]().union(*(sides_of(c.resource) for c in group)) for group in (some, others))
    return not sides or not too or bool(sides & too)


def _examination(group: list[_Carrier], pool: Pool, own: frozenset[str]) -> EarlierExam | None:
    done_at = _done_at(group)
    if done_at is None or not any(carrier.is_ct for carrier in group):
        return None
    ordered = sorted(group, key=lambda carrier: list(_WHEN).index(carrier.type))
    place = frozenset[str]().union(*(institution_of(carrier.resource, pool) for carrier in group))
    # What rests on a request that this service gave its id was done here.
    here = any(key.startswith("ServiceRequest/o-") for carrier in group for key in carrier.keys)
    ours = here or any(numbered_by_us(carrier.resource) for carrier in group) or bool(place & own)
    return EarlierExam(
        reference=_reference(ordered[0].resource),
        done_at=done_at,
        regions=frozenset[str]().union(*(carrier.regions for carrier in group)),
        sides=frozenset[str]().union(*(sides_of(carrier.resource) for carrier in group)),
        elsewhere=bool(place) and not ours,
        institution=place,
        result=next((_reference(c.resource) for c in ordered if c.type == "DiagnosticReport"), ""),
    )


def _done_at(group: list[_Carrier]) -> datetime | None:
    """When it was performed, by the surest carrier that says so."""
    return next((c.done_at for kind in _WHEN for c in group if c.type == kind and c.done_at is not None), None)


def _for_this(resource: Resource, request: Resource, pool: Pool) -> bool:
    if resource["resourceType"] == "ServiceRequest":
        return bool(resource.get("id")) and resource.get("id") == request.get("id")
    return any(pool.same(reference, request) for reference in resource.get("basedOn", []))


def _keys(resource: Resource) -> Iterator[str]:
    """What ties carriers of one examination: their references to each other and their identifiers."""
    yield _reference(resource) if resource.get("id") else f"without-id-{id(resource)}"
    for element in (entry for name in _POINTERS for entry in _listed(resource.get(name))):
        if reference := reference_of(element):
            yield reference
        identifier = element.get("identifier", {})
        if identifier.get("value"):
            yield f"{identifier.get('system', '')}|{identifier['value']}"
    for identifier in _listed(resource.get("identifier")):
        if identifier.get("value"):
            yield f"{identifier.get('system', '')}|{identifier['value']}"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _reference(resource: Resource) -> str:
    return f"{resource['resourceType']}/{resource.get('id', '')}"


def _regions(resource: Resource, pool: Pool) -> tuple[frozenset[str], bool]:
    """The regions seen, and whether it was a CT."""
    exam = exam_of_concept(resource.get("code"), pool)
    concepts = [resource.get("code"), *_listed(resource.get("category"))]
    coded = any(code in _CT for concept in concepts for code in codes(concept))
    if exam is None and not coded and not any(_SAYS_CT.search(text) for text in words(resource.get("code"))):
        return frozenset(), False
    return regions_of(exam, resource.get("code"), _listed(resource.get("bodySite")), pool), True


def _regions_of_study(study: Resource, pool: Pool) -> tuple[frozenset[str], bool]:
    series: list[dict[str, Any]] = [s for s in study.get("series", []) if s.get("modality", {}).get("code") == "CT"]
    if not series and not any(modality.get("code") == "CT" for modality in study.get("modality", [])):
        return frozenset(), False
    return regions_of_study(study, series, pool), True
