"""From FHIR to facts: what a request states, by the carriers that the design names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.service import CANONICAL, Resource
from slipring.staff import missing, staff_facts

from slipring_order import catalogue
from slipring_order.earlier import earlier_exams
from slipring_order.facts import OrderFacts, age_on
from slipring_order.mapping import exam_of_concept, is_coded, translation
from slipring_order.reading import Pool, codes, codings, has_code, moment

CLINICAL_DATA = f"{CANONICAL}/StructureDefinition/clinical-data"
RULE_ANSWER = f"{CANONICAL}/StructureDefinition/rule-answer"
PURPOSE_SYSTEM = f"{CANONICAL}/CodeSystem/exam-purpose"
LOINC = "http://loinc.org"
PREGNANCY_STATUS = "82810-3"
_PREGNANCY = {
    "LA15173-0": "pregnant", "77386006": "pregnant",
    "LA26683-5": "not-pregnant", "60001007": "not-pregnant",
    "LA4489-6": "unknown", "261665006": "unknown",
}  # fmt: skip
_VOID = frozenset({"entered-in-error", "cancelled"})
_INPATIENT = frozenset({"IMP", "ACUTE", "NONAC"})
_FROM_INSTRUCTION = ("precautions", "consent-information")
_STATED_BY_NOTE = ("surgery-endoscopy", "pathology", "laboratory", "earlier-imaging", *_FROM_INSTRUCTION)


def order_facts(request: Resource, pool: Pool, now: datetime, zone: ZoneInfo) -> OrderFacts:
    """Read a request, with the resources around it, at a moment."""
    exam = exam_of_concept(request.get("code"), pool)
    translated = translation(request.get("code"), pool)
    sites = [code for site in request.get("bodySite", []) for code in codes(site)]
    encounter = pool.resolve(request.get("encounter"), request)
    return OrderFacts(
        stat=request.get("priority") == "stat",
        question=tuple(_words(request)),
        coded_reason=_coded(request, pool),
        purpose=_purpose(request),
        exam_named=bool(request.get("code", {}).get("coding") or request.get("code", {}).get("text")),
        exam_coded=is_coded(request.get("code"), pool),
        exam_code=exam.code if exam else "",
        exam_loinc=exam.loinc if exam else "",
        mapped_from=f"{translated.system}|{translated.code}" if translated else "",
        mapped_by=translated.by if translated else "",
        regions=(exam.regions if exam else frozenset()) | catalogue.regions_of(sites),
        site_named=bool(request.get("bodySite")) or bool(exam and exam.regions),
        contrast=contrast_planned(request, pool),
        statements=_statements(request, pool),
        answers=_answers(request),
        inpatient=(encounter or {}).get("class", {}).get("code") in _INPATIENT,
        earlier=tuple(earlier_exams(request, pool, now, zone)),
        **_patient(request, pool, now, zone),
        **_requester(request, pool, now, zone),
    )


def contrast_planned(request: Resource, pool: Pool) -> bool | None:
    """Whether contrast is planned: by the exam code or by an agent in orderDetail; None when nothing says so."""
    if request.get("orderDetail"):
        return True
    exam = exam_of_concept(request.get("code"), pool)
    return exam.contrast if exam else None


def _words(request: Resource) -> Iterator[str]:
    for concept in request.get("reasonCode", []):
        if concept.get("text"):
            yield str(concept["text"])
        yield from (
            str(c["display"]) for c in codings(concept) if c.get("display") and c.get("system") != PURPOSE_SYSTEM
        )


def _coded(request: Resource, pool: Pool) -> bool:
    coded = any(
        coding.get("code") and coding.get("system") not in (None, PURPOSE_SYSTEM)
        for concept in request.get("reasonCode", [])
        for coding in codings(concept)
    )
    return coded or any(
        (found := pool.resolve(reference, request)) is not None and found.get("code")
        for reference in request.get("reasonReference", [])
    )


def _purpose(request: Resource) -> str:
    found = (
        c.get("code") for r in request.get("reasonCode", []) for c in codings(r) if c.get("system") == PURPOSE_SYSTEM
    )
    return next((str(code) for code in found if code), "")


def _statements(request: Resource, pool: Pool) -> Mapping[str, str]:
    said: dict[str, str] = {}
    for supporting in _supporting(request, pool):
        for item, carrier in catalogue.carriers().items():
            if _fits(supporting, carrier):
                said.setdefault(item, supporting["resourceType"])
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


def _supporting(request: Resource, pool: Pool) -> Iterator[Resource]:
    named = [pool.resolve(reference, request) for reference in request.get("supportingInfo", [])]
    yield from (resource for resource in named if resource is not None and resource.get("status") not in _VOID)
    for resource in pool.of_type("Observation", "DiagnosticReport", "Procedure", "ImagingStudy"):
        about = any(pool.same(reference, request) for reference in resource.get("basedOn", []))
        if about and resource.get("status") not in _VOID:
            yield resource


def _fits(resource: Resource, carrier: Mapping[str, Any]) -> bool:
    if resource["resourceType"] not in carrier["types"]:
        return False
    wanted = set(carrier.get("categories", ()))
    held = resource.get("category", [])
    found = {code for concept in (held if isinstance(held, list) else [held]) for code in codes(concept)}
    return not wanted or resource["resourceType"] == "ImagingStudy" or bool(wanted & found)


def _answers(request: Resource) -> Mapping[str, str]:
    found: dict[str, str] = {}
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


def _patient(request: Resource, pool: Pool, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    patient = pool.resolve(request.get("subject"), request)
    if patient is None:
        return {}
    birth_date = str(patient.get("birthDate", ""))
    return {
        "patient_known": True,
        "patient_identified": any(identifier.get("value") for identifier in patient.get("identifier", [])),
        "patient_reachable": bool(patient.get("telecom") or patient.get("address") or request.get("encounter")),
        "sex": str(patient.get("gender", "")),
        "birth_date": birth_date,
        "age_years": age_on(birth_date, now.astimezone(zone).date()),
        "pregnancy": _pregnancy(request, patient, pool, now, zone),
    }


def _pregnancy(request: Resource, patient: Resource, pool: Pool, now: datetime, zone: ZoneInfo) -> str:
    """The newest pregnancy status recorded for this request; another patient's is not used."""
    found: list[tuple[datetime, str]] = []
    for observation in _supporting(request, pool):
        if observation["resourceType"] != "Observation" or not has_code(
            observation.get("code"), LOINC, PREGNANCY_STATUS
        ):
            continue
        subject = observation.get("subject")
        if subject and not pool.same(subject, patient):
            continue
        at = moment(observation.get("effectiveDateTime") or observation.get("issued"), zone)
        value = observation.get("valueCodeableConcept")
        status = next((_PREGNANCY[code] for code in codes(value) if code in _PREGNANCY), "unknown")
        found.append((at or datetime.min.replace(tzinfo=now.tzinfo), status))
    return max(found)[1] if found else ""


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
    }


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
