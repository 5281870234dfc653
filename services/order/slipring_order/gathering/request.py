"""From FHIR to facts: what a request states, by the carriers that the design names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.service import CANONICAL, Resource
from slipring.rules.contrast import names_contrast
from slipring.staff import missing, staff_facts

from slipring_order import catalogue
from slipring_order.facts import OrderFacts
from slipring_order.gathering.earlier import earlier_exams
from slipring_order.gathering.form import is_filled_in, stated_on_the_form
from slipring_order.gathering.indications import asks_for_phases, groups_of
from slipring_order.gathering.institutions import own_institution
from slipring_order.gathering.patient import VOID, patient_facts
from slipring_order.gathering.reasons_stated import (
    diagnoses,
    has_coded_reason,
    purpose_stated,
    reason_words,
    reasons_and_diagnoses_in_words,
)
from slipring_order.gathering.sides import is_whole_body, sides_of
from slipring_order.gathering.sites import regions_of
from slipring_order.offer.mapping import exam_of_concept, is_coded, is_unlisted, is_withdrawn, translation
from slipring_order.reading import Pool, codes, codings, reference_of

CLINICAL_DATA = f"{CANONICAL}/StructureDefinition/clinical-data"
RULE_ANSWER = f"{CANONICAL}/StructureDefinition/rule-answer"
_INPATIENT = frozenset({"IMP", "ACUTE", "NONAC"})
_SUPPORTING = ("Observation", "DiagnosticReport", "Procedure", "ImagingStudy", "QuestionnaireResponse")
_SCREENED = frozenset({"completed", "amended"})
_SCREENING = ("contrast-screening", "screening")
_THE_PATIENT_S = frozenset({"Patient", "RelatedPerson"})
_FROM_INSTRUCTION = ("precautions", "consent-information")
_STATED_BY_NOTE = ("surgery-endoscopy", "pathology", "laboratory", "earlier-imaging", *_FROM_INSTRUCTION)


def order_facts(
    request: Resource, pool: Pool, now: datetime, zone: ZoneInfo, institution: frozenset[str] = frozenset()
) -> OrderFacts:
    """Read a request, with the resources around it, at a moment; `institution` is how this hospital is known."""
    exam = exam_of_concept(request.get("code"), pool)
    translated = translation(request.get("code"), pool)
    encounter = pool.resolve(request.get("encounter"), request)
    supporting = list(supporting_of(request, pool))
    regions = regions_of(exam, request.get("code"), request.get("bodySite", []), pool)
    own = institution | own_institution(request, pool)
    return OrderFacts(
        stat=request.get("priority") == "stat",
        question=tuple(reason_words(request)),
        coded_reason=has_coded_reason(request, pool),
        purpose=purpose_stated(request, pool),
        indications=groups_of(reasons_and_diagnoses_in_words(request, pool), diagnoses(request, pool)),
        exam_named=bool(request.get("code", {}).get("coding") or request.get("code", {}).get("text")),
        exam_unlisted=is_unlisted(request.get("code"), exam),
        exam_withdrawn=exam is not None and is_withdrawn(exam, pool),
        exam_coded=is_coded(request.get("code"), exam),
        exam_code=exam.code if exam else "",
        exam_loinc=exam.loinc if exam else "",
        mapped_from=f"{translated.system}|{translated.code}" if translated else "",
        mapped_by=translated.by if translated else "",
        regions=regions,
        sides=sides_of(request),
        whole_body=is_whole_body(request, regions),
        site_named=bool(request.get("bodySite")) or bool(regions),
        contrast=contrast_planned(request, exam),
        contrast_screened=_contrast_screened(request, pool),
        multiphase=asks_for_phases(codes(request.get("code")), _phase_words(request)),
        statements=_statements(request, supporting),
        answers=_answers(request, supporting),
        inpatient=(encounter or {}).get("class", {}).get("code") in _INPATIENT,
        earlier=tuple(earlier_exams(request, pool, now, zone, own)),
        **patient_facts(request, pool, supporting, now, zone),
        **_requester(request, pool, now, zone),
    )


def contrast_planned(request: Resource, exam: catalogue.Exam | None) -> bool | None:
    """Whether contrast is planned: by the exam code or by an agent in orderDetail; None when nothing says so."""
    if any(names_contrast(detail) for detail in request.get("orderDetail", [])):
        return True
    return exam.contrast if exam else None


def _phase_words(request: Resource) -> Iterator[str]:
    for concept in [request.get("code") or {}, *request.get("orderDetail", [])]:
        yield from (str(text) for text in (concept.get("text"), *(c.get("display") for c in codings(concept))) if text)


def _contrast_screened(request: Resource, pool: Pool) -> bool:
    """Whether a completed contrast screening is based on this request (section 4; mechanisms of consent)."""
    return any(
        response.get("status") in _SCREENED
        and str(response.get("questionnaire", "")).partition("|")[0].rpartition("/")[2] in _SCREENING
        and any(pool.same(reference, request) for reference in response.get("basedOn", []))
        for response in pool.of_type("QuestionnaireResponse")
    )


def _statements(request: Resource, supporting: list[Resource]) -> Mapping[str, str]:
    said: dict[str, str] = {}
    for resource in supporting:
        for item, carrier in catalogue.carriers().items():
            if _fits(resource, carrier):
                said.setdefault(item, resource["resourceType"])
        if is_filled_in(resource):
            answered = stated_on_the_form(resource).items()
            said |= {item: statement for item, statement in answered if item in _STATED_BY_NOTE}
    for entry in request.get("extension", []):
        if entry.get("url") == CLINICAL_DATA:
            parts = {part.get("url"): part for part in entry.get("extension", [])}
            item, statement = _value(parts.get("item")), _value(parts.get("statement"))
            if item and statement:
                said[item] = statement
    if str(request.get("patientInstruction", "")).strip():
        said |= {item: "patient-instruction" for item in _FROM_INSTRUCTION if item not in said}
    if any(str(note.get("text", "")).strip() for note in request.get("note", [])):
        said |= {item: "free-text" for item in _STATED_BY_NOTE if item not in said}
    return said


def supporting_of(request: Resource, pool: Pool) -> Iterator[Resource]:
    """What is stated for a request: what it points at, and what is based on it."""
    named = [pool.resolve(reference, request) for reference in request.get("supportingInfo", [])]
    yield from (resource for resource in named if resource is not None and resource.get("status") not in VOID)
    for resource in pool.of_type(*_SUPPORTING):
        about = any(pool.same(reference, request) for reference in resource.get("basedOn", []))
        if about and resource.get("status") not in VOID:
            yield resource


def _fits(resource: Resource, carrier: Mapping[str, Any]) -> bool:
    if resource["resourceType"] not in carrier["types"]:
        return False
    wanted = set(carrier.get("categories", ()))
    held = resource.get("category", [])
    found = {code for concept in (held if isinstance(held, list) else [held]) for code in codes(concept)}
    return not wanted or resource["resourceType"] == "ImagingStudy" or bool(wanted & found)


def _answers(request: Resource, supporting: list[Resource]) -> Mapping[str, str]:
    forms = [stated_on_the_form(resource) for resource in supporting if is_filled_in(resource)]
    found = {number: said for form in forms for number, said in form.items() if number.startswith("J")}
    for entry in request.get("extension", []):
        if entry.get("url") == RULE_ANSWER:
            parts = {part.get("url"): part for part in entry.get("extension", [])}
            number, answer = _value(parts.get("rule")), _value(parts.get("answer"))
            if number and answer and answer.strip():
                found[number] = answer
    return found


def _value(part: Mapping[str, Any] | None) -> str:
    for member, value in (part or {}).items():
        if member.startswith("value"):
            return str(value.get("text") or next(iter(codes(value)), "")) if isinstance(value, Mapping) else str(value)
    return ""


def _requester(request: Resource, pool: Pool, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    if not request.get("requester"):
        return {}
    found = pool.resolve(request["requester"], request)
    person, roles = _person_and_roles(found, pool)
    staff = staff_facts(person, roles, now, zone=str(zone))
    reachable = any(
        resource.get(member)
        for resource in [found or {}, person or {}, *roles]
        for member in ("telecom", "address", "organization", "location")
    )
    return {
        "requester_named": True,
        "requester_reachable": reachable or bool(request.get("encounter")),
        "requester_lacks": tuple(reason.code for reason in missing("order-ct", staff)),
        "requester_roles": staff.roles,
        "self_referred": _kind(request["requester"], found) in _THE_PATIENT_S,
    }


def _kind(element: Mapping[str, Any], found: Resource | None) -> str:
    return str(found["resourceType"] if found else element.get("type") or reference_of(element).partition("/")[0])


def _person_and_roles(found: Resource | None, pool: Pool) -> tuple[Resource | None, list[Resource]]:
    """A role stands for its holder; a role that names no person stands for itself."""
    if found is None or found["resourceType"] not in ("Practitioner", "PractitionerRole"):
        return None, []
    if found["resourceType"] == "PractitionerRole":
        person = pool.resolve(found.get("practitioner"), found)
        bare = {name: value for name, value in found.items() if name != "practitioner"}
        return person or {"resourceType": "Practitioner", "id": ""}, [bare]
    roles = [role for role in pool.of_type("PractitionerRole") if pool.same(role.get("practitioner"), found)]
    return found, [{name: value for name, value in role.items() if name != "practitioner"} for role in roles]
