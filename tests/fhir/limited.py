"""A ward of which a token reaches only a part: what the tests of limited tokens stand on."""

from __future__ import annotations

from typing import Any

import httpx
from slipring.fhir.service import Call, Changes, Desk, Keeps, Operation, Parameter, Service, UniqueIdentifier

from tests.fhir.place import Place, Resource, a_patient

LAB = "urn:category|lab"
LIMITED = f"system/Observation.cruds?category={LAB} system/Patient.r"
OPEN, HIDDEN = "lab", "psychiatry"
PATCH = {"Content-Type": "application/json-patch+json"}


async def looked_at(call: Call, desk: Desk) -> Changes:
    """Answers what it was called on."""
    assert call.target is not None
    return Changes(answer=call.target.resource)


async def all_told(call: Call, desk: Desk) -> Changes:
    """Answers with what it finds, whoever asks: what the caller may see is for the kernel to say."""
    found = await desk.search("Observation")
    told = [{"name": "found", "valueReference": {"reference": one.reference}} for one in found]
    return Changes(answer={"resourceType": "Parameters", "parameter": told})


async def noted(call: Call, desk: Desk) -> Changes:
    """Answers with nothing."""
    return Changes.none()


_LINE = (Parameter("word", "string", min=1), Parameter("by", "string"))


def ward() -> Service:
    return Service(
        "order",
        "o",
        "A ward",
        keeps=[
            Keeps("Patient"),
            Keeps("Observation", unique=(UniqueIdentifier("FILL"),)),
            Keeps("ServiceRequest"),
            Keeps("Task"),
            Keeps("Practitioner"),
        ],
        operations=[
            Operation("Observation", "look", looked_at, affects_state=False),
            Operation("Patient", "tell", all_told, "type", affects_state=False, tells=("Observation",)),
            Operation("Task", "note", noted, "type", parameters=(Parameter("line", "", max="*", parts=_LINE),)),
        ],
    )


def an_observation(category: str, **members: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "category": [{"coding": [{"system": "urn:category", "code": category}]}],
        **members,
    }


def ids(answer: httpx.Response) -> set[str]:
    assert answer.status_code == 200, answer.text
    return {entry["resource"]["id"] for entry in answer.json().get("entry", []) if "resource" in entry}


async def one_patient(place: Place) -> dict[str, Resource]:
    """One patient with an observation inside the token and one outside of it."""
    patient = await place.make(a_patient())
    about = {"subject": {"reference": f"Patient/{patient['id']}"}}
    inside = await place.make(an_observation(OPEN, **about, issued="2026-01-02T00:00:00Z"))
    secret = await place.make(
        an_observation(
            HIDDEN, **about, issued="2026-01-01T00:00:00Z", valueString="secret", identifier=[{"value": "s"}]
        )
    )
    return {"patient": patient, "inside": inside, "secret": secret}
