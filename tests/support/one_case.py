"""What stories of a critical case share: flags as reports make them, and a case that rings or was answered."""

from __future__ import annotations

from typing import Any

from slipring.fhir.caller import Caller
from slipring.fhir.service import Resource
from slipring_critical.cases.facts import FINDING_LEVEL, case_facts
from slipring_critical.cases.marks import FLAG_MARK

from tests.support.ringing import FINDING, ARinging, a_department, a_finding, a_handover

RIGHT: dict[str, Any] = {"patientCheck": "0123", "finding": FINDING, "medium": "webhook"}
REQUESTER, DUTY = {"reference": "Practitioner/o-requester"}, {"reference": "Practitioner/o-duty"}
OTHER = "CV-CT-06"


def signed_in(name: str) -> Caller:
    return Caller("page", frozenset(), f"Practitioner/o-{name}")


def events(case: Resource) -> list[str]:
    return [event.what for event in case_facts(case).events]


def state(case: Resource) -> str:
    return case_facts(case).state


def at_level(level: str) -> dict[str, Any]:
    coded = {"coding": [{"system": FINDING_LEVEL, "code": level}]}
    return {"component": [{"code": {"text": "finding level"}, "valueCodeableConcept": coded}]}


def marked(*marks: str) -> dict[str, Any]:
    parts = [{"code": {"coding": [{"system": FLAG_MARK, "code": mark}]}, "valueBoolean": True} for mark in marks]
    return {"component": parts}


async def flag(ringing: ARinging, number: str = "1", code: str = FINDING, **members: Any) -> None:
    """One more flag, of a report of its own."""
    focus, basis = (
        {"reference": f"Observation/r-finding-{number}"},
        [{"reference": f"DiagnosticReport/r-report-{number}"}],
    )
    await ringing.arrive(a_handover(f"r-handover-{number}", focus=focus, basedOn=basis))
    await ringing.arrive(a_finding(code, id=f"r-finding-{number}", **members))


async def rung() -> ARinging:
    ringing = ARinging(*a_department())
    await flag(ringing)
    return ringing


async def told() -> ARinging:
    ringing = await rung()
    await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)
    return ringing
