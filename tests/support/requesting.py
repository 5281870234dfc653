"""What tests of a request's life look at: the Tasks beside its exam, and what an operation lists."""

from __future__ import annotations

from typing import Any

from slipring.fhir.service import Arrival, Changes, Resource

from tests.support.desk import ADesk

# What the HIS sends: elements of every kind, changed, dropped, of the wrong patient, another record of the right one.
OVERWRITES: list[dict[str, Any]] = [
    {"code": {"coding": [{"system": "http://loinc.org", "code": "24725-4"}]}},
    {"code": {"coding": [{"system": "http://loinc.org", "code": "24627-2", "display": "CT Chest"}]}},
    {"code": {"coding": [{"system": "http://loinc.org", "code": "24628-0"}]}},
    {"code": None},
    {"bodySite": [{"text": "左膝"}]},
    {"orderDetail": [{"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB02"}]}]},
    {"reasonCode": [{"text": "咳嗽三周"}]},
    {"reasonCode": None, "note": None},
    {"priority": "stat"},
    {"priority": "urgent"},
    {"requester": None},
    {"subject": {"reference": "Patient/o-old"}},
    {"subject": {"reference": "Patient/o-stranger"}},
    {"status": "revoked"},
    {"status": "entered-in-error"},
    {"status": "on-hold"},
    {"replaces": [{"reference": "ServiceRequest/o-req"}]},
    {},
]


def a_report(status: str) -> Arrival:
    """A report of the exam arrives from report."""
    based_on = [{"reference": "ServiceRequest/o-req"}]
    return Arrival(
        "report", {"resourceType": "DiagnosticReport", "id": "r-1", "status": status, "basedOn": based_on}, 1
    )


async def follow_ups(desk: ADesk) -> list[Resource]:
    """What an emergency left to be made up for."""
    return [one.resource for one in await desk.search("Task?code=follow-up")]


def parts(changes: Changes, name: str) -> list[dict[str, Any]]:
    """The parameters of a name in an answer, each as its parts by name."""
    listed = (changes.answer or {})["parameter"]
    return [
        {part["name"]: next(value for member, value in part.items() if member != "name") for part in one["part"]}
        for one in listed
        if one["name"] == name
    ]
