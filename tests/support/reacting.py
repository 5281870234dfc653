"""Reactions for the handler tests: one patient, one injection, and what is said of what followed."""

from typing import Any

from slipring.fhir.checks.shape import check
from slipring.fhir.service import CANONICAL, Changes, Resource, Write
from slipring_consent.handlers.reactions import reaction_logged
from slipring_consent.reactions.said import AMENDMENT, MEASURES, PHASE

from tests.support.contrast import PATIENT, a_cleared_department, an_injection
from tests.support.desk import ADesk

SEVERITY = "http://terminology.hl7.org/CodeSystem/adverse-event-severity"
RING = f"{CANONICAL}/CodeSystem/reaction-grade-ring-messmer"
NURSE = {"reference": "Practitioner/o-nurse"}


def a_reaction(kind: str = "allergic-like", grade: str = "mild", **members: Any) -> Resource:
    event: Resource = {
        "resourceType": "AdverseEvent",
        "id": "c-reaction",
        "actuality": "actual",
        "subject": PATIENT,
        "date": "2026-03-02T12:01:00+08:00",
        "recorder": NURSE,
        "suspectEntity": [{"instance": {"reference": "MedicationAdministration/c-injection"}}],
    }
    if kind:
        event["event"] = {"coding": [{"system": f"{CANONICAL}/CodeSystem/reaction-type", "code": kind}]}
    if grade:
        event["severity"] = {"coding": [{"system": SEVERITY, "code": grade}]}
    return event | members


def in_phase(code: str) -> Resource:
    return {"url": PHASE, "valueCode": code}


def an_amendment(reason: str = "看错了") -> Resource:
    return {
        "url": AMENDMENT,
        "extension": [{"url": "reason", "valueString": reason}, {"url": "by", "valueReference": NURSE}],
    }


A_MEASURE: Resource = {
    "url": MEASURES,
    "extension": [
        {
            "url": "what",
            "valueCodeableConcept": {
                "coding": [{"system": f"{CANONICAL}/CodeSystem/reaction-measure", "code": "adrenaline"}]
            },
        },
        {"url": "dose", "valueQuantity": {"value": 0.3, "unit": "mg"}},
        {"url": "at", "valueDateTime": "2026-03-02T12:02:00+08:00"},
        {"url": "by", "valueReference": NURSE},
    ],
}


def a_room(**members: Any) -> ADesk:
    desk = a_cleared_department(**members)
    desk.hold(an_injection(status="completed"))
    return desk


async def logged(desk: ADesk, event: Resource) -> Changes:
    """Log a version of a reaction on top of what the desk holds, and carry it out."""
    before = desk.held.get(f"AdverseEvent/{event['id']}")
    changes = await reaction_logged(Write("update" if before else "create", event, before), desk)
    for save in changes.save:
        assert check(save.resource) == []
    desk.carry_out(changes, event)
    return changes


def refusals(changes: Changes) -> set[str]:
    return {issue.detail for issue in changes.refuse.issues} if changes.refuse else set()


def allergy(desk: ADesk) -> Resource:
    return desk.held["AllergyIntolerance/c-reaction-allergy"].resource


def standing(resource: Resource, member: str) -> str:
    return str(resource.get(member, {}).get("coding", [{}])[0].get("code", ""))


def closed(**members: Any) -> Resource:
    outcome = "http://terminology.hl7.org/CodeSystem/adverse-event-outcome"
    effect = {"system": f"{CANONICAL}/CodeSystem/reaction-effect", "code": "none"}
    said = {
        "url": f"{CANONICAL}/StructureDefinition/effect-on-result",
        "extension": [{"url": "effect", "valueCodeableConcept": {"coding": [effect]}}],
    }
    whole = a_reaction(outcome={"coding": [{"system": outcome, "code": "resolved"}]})
    return whole | {"extension": [in_phase("closed"), A_MEASURE, said]} | members
