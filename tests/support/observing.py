"""An observation after an injection on the desk in memory: begun, released, with vital signs and a reaction."""

from datetime import timedelta
from typing import Any

from slipring.fhir.caller import Caller
from slipring.fhir.service import CANONICAL, Call, Changes, Resource, Write
from slipring_consent.handlers.injection import RECORD_LATE, contrast_written
from slipring_consent.handlers.release import observation_released
from slipring_consent.reading import instant

from tests.support.contrast import (
    PATIENT,
    an_injection,
)
from tests.support.desk import A_NOON, ADesk

LATE = Caller(client="a-test", scopes=frozenset({"system/*.cruds", RECORD_LATE}))
NURSE = {"reference": "Practitioner/o-nurse"}
OUTCOME = "http://terminology.hl7.org/CodeSystem/adverse-event-outcome"


async def observed(desk: ADesk, **members: Any) -> Any:
    """The observation that begins when this injection is told."""
    given = an_injection(status="completed", **members)
    changes = await contrast_written(Write("update", given, desk.hold(an_injection())), desk)
    assert changes.refuse is None
    desk.carry_out(changes, given)
    [task] = await desk.search("Task?code=observation")
    return task


def state(task: Resource) -> str:
    return str(task["businessStatus"]["coding"][0]["code"])


def minutes(task: Resource) -> int:
    period = task["restriction"]["period"]
    return int((parsed(period["end"]) - parsed(period["start"])) / timedelta(minutes=1))


def parsed(text: str) -> Any:
    return type(A_NOON).fromisoformat(text)


def a_call(task: Any, **given: Any) -> Call:
    parameters = [
        {"name": name, **value}
        for name, values in given.items()
        for value in (values if isinstance(values, list) else [values])
    ]
    return Call({"resourceType": "Parameters", "parameter": parameters}, target=task)


def by(who: str = "o-nurse") -> dict[str, Any]:
    return {"valueReference": {"reference": f"Practitioner/{who}"}}


async def release(desk: ADesk, task: Any, **given: Any) -> Changes:
    return await observation_released(a_call(desk.held[task.reference], **{"by": by(), **given}), desk)


def refusals(changes: Changes) -> set[str]:
    assert changes.refuse is not None
    return {issue.detail for issue in changes.refuse.issues}


def a_reaction(**members: Any) -> Resource:
    return {
        "resourceType": "AdverseEvent",
        "id": "c-reaction",
        "actuality": "actual",
        "subject": PATIENT,
        "date": instant(A_NOON),
        "event": {"coding": [{"system": f"{CANONICAL}/CodeSystem/reaction-type", "code": "allergic-like"}]},
        "severity": {"coding": [{"code": "moderate"}]},
        "suspectEntity": [{"instance": {"reference": "MedicationAdministration/c-injection"}}],
        **members,
    }


def signs(number: str, at: Any, **members: Any) -> Resource:
    return {
        "resourceType": "Observation",
        "id": number,
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": PATIENT,
        "partOf": [{"reference": "MedicationAdministration/c-injection"}],
        "effectiveDateTime": instant(at),
        "valueQuantity": {"value": 72, "code": "/min"},
        **members,
    }
