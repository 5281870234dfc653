"""Records of one patient before contrast, as laboratories, problem lists and wards write them."""

from __future__ import annotations

from typing import Any

from slipring.fhir.service import Arrival, Changes, Resource
from slipring_consent.handlers.changed_facts import fact_arrived
from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.known import screening_in

from tests.support.contrast import IOHEXOL, PATIENT, a_department, a_request
from tests.support.desk import ADesk

ICD10, SNOMED, LOINC = "http://hl7.org/fhir/sid/icd-10", "http://snomed.info/sct", "http://loinc.org"
ATC = "http://www.whocc.no/atc"
WOMAN = {"resourceType": "Patient", "id": "o-pat", "birthDate": "1966-03-02", "gender": "female"}
BEFORE = "2026-02-28T08:00:00+08:00"


def coded(system: str, code: str, text: str = "") -> Resource:
    return {"coding": [{"system": system, "code": code}]} | ({"text": text} if text else {})


def a_condition(code: Resource, **members: Any) -> Resource:
    return {"resourceType": "Condition", "id": "o-c", "subject": PATIENT, "code": code, **members}


def a_creatinine(value: str, unit: str = "umol/L", **members: Any) -> Resource:
    return {
        "resourceType": "Observation", "id": "o-cr", "status": "final", "subject": PATIENT,
        "code": coded(LOINC, "14682-9"), "effectiveDateTime": "2026-03-01T08:00:00+08:00",
        "valueQuantity": {"value": float(value), "code": unit, "unit": unit}, **members,
    }  # fmt: skip


def a_medicine(kind: str, status: str, code: Resource, **members: Any) -> Resource:
    return {
        "resourceType": kind,
        "id": "o-m",
        "status": status,
        "subject": PATIENT,
        "medicationCodeableConcept": code,
    } | members


def known(*resources: Resource, response: Resource | None = None) -> ScreeningFacts:
    entries = [{"resource": one} for one in (a_request(), *resources)]
    return screening_in({"resourceType": "Bundle", "type": "collection", "entry": entries}, response, a_department())


def an_allergy(**members: Any) -> Resource:
    return {"resourceType": "AllergyIntolerance", "id": "o-a", "patient": PATIENT, "code": IOHEXOL, **members}


def an_encounter(code: str, **members: Any) -> Resource:
    return {
        "resourceType": "Encounter",
        "id": "o-en",
        "status": "in-progress",
        "subject": PATIENT,
        "class": {"code": code},
    } | members


async def arrives(desk: ADesk, resource: Resource) -> Changes:
    """A fact comes from order, and what follows from it is done."""
    before = await desk.read(f"{resource['resourceType']}/{resource['id']}")
    stored = desk.hold(resource, source="order")
    changes = await fact_arrived(Arrival("order", resource, stored.version, before=before), desk)
    desk.carry_out(changes)
    return changes
