"""The AllergyIntolerance that an allergic-like reaction leaves behind, so that the next order sees it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from slipring.fhir.service import CANONICAL, Resource, Save, Stored, successor

from slipring_consent.reactions.amending import reasoned
from slipring_consent.reactions.grades import GRADES, worst_of
from slipring_consent.reactions.said import happened, signs_of, stands_as_allergy
from slipring_consent.reading import instant, is_coded, reference_of

FROM_REACTION = f"{CANONICAL}/StructureDefinition/from-reaction"
_CLINICAL = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"
_VERIFICATION = "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
_ANY_CONTRAST: Resource = {
    "coding": [{"system": "http://snomed.info/sct", "code": "293638001"}],
    "text": "X 线对比剂过敏",
}


def allergy_id(event: Resource) -> str:
    """The id of the allergy of one reaction: there is never a second."""
    return f"{event['id'][:56]}-allergy"


def after(
    event: Resource, before: Resource | None, held: Stored | None, substance: Resource | None, *, now: datetime
) -> Save | None:
    """What becomes of the allergy with this version of the reaction; None when nothing does.

    What a person has said of the allergy since stands until the reaction itself says something else. A grade that is
    raised is followed at once; a lower one only where the reaction gives the reason of its correction.
    """
    wanted = stands_as_allergy(event) and reference_of(event.get("subject")).startswith("Patient/")
    if held is None:
        return Save(as_allergy(event, substance, now=now)) if wanted else None
    if before is not None and _told(event) == _told(before):
        return None
    if wanted:
        made = as_allergy(event, substance, now=now)
        if not reasoned(event, before):
            _keep_the_worse(made, held.resource)
        return successor(held, **{name: value for name, value in made.items() if name not in _ITS_OWN})
    if is_coded(held.resource.get("verificationStatus"), "entered-in-error"):
        return None
    if not happened(event):  # AllergyIntolerance ait-2: what is wrong has no clinical status
        return successor(held, clinicalStatus=None, verificationStatus=_status(_VERIFICATION, "entered-in-error"))
    refuted = _status(_VERIFICATION, "refuted")
    return successor(held, clinicalStatus=_status(_CLINICAL, "inactive"), verificationStatus=refuted)


_ITS_OWN = ("resourceType", "id", "recordedDate")


def as_allergy(event: Resource, substance: Resource | None, *, now: datetime) -> Resource:
    """The allergy as this version of the reaction tells it."""
    grade = worst_of(event.get("severity"))
    seen = signs_of(event) or [event.get("event") or {"text": "过敏样反应 / allergic-like reaction"}]
    reaction: Resource = {"manifestation": seen}
    if event.get("date"):
        reaction["onset"] = event["date"]
    if grade:
        reaction["severity"] = grade
    allergy: Resource = {
        "resourceType": "AllergyIntolerance",
        "id": allergy_id(event),
        "clinicalStatus": _status(_CLINICAL, "active"),
        "verificationStatus": _status(_VERIFICATION, "unconfirmed"),
        "type": "allergy",
        "category": ["medication"],
        "criticality": _criticality(grade),
        "code": substance or _ANY_CONTRAST,
        "patient": {"reference": reference_of(event["subject"])},
        "recordedDate": instant(now),
        "reaction": [reaction],
        "extension": [{"url": FROM_REACTION, "valueReference": {"reference": f"AdverseEvent/{event['id']}"}}],
    }
    return allergy | {name: event[name] for name in ("recorder", "encounter") if reference_of(event.get(name))}


def _criticality(grade: str) -> str:
    return "high" if grade == "severe" else "low"


def _keep_the_worse(made: Resource, held: Resource) -> None:
    grades = [one.get("severity", "") for one in [*made["reaction"], *held.get("reaction", [])]]
    worst = max((one for one in grades if one in GRADES), key=GRADES.index, default="")
    if worst:
        made["reaction"][0]["severity"] = worst
        made["criticality"] = _criticality(worst)


def _told(event: Resource) -> tuple[Any, ...]:
    """What of a reaction the allergy is made of."""
    subject = reference_of(event.get("subject"))
    return stands_as_allergy(event), happened(event), worst_of(event.get("severity")), signs_of(event), subject, [
        reference_of(one.get("instance")) for one in event.get("suspectEntity", [])
    ]  # fmt: skip


def _status(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}
