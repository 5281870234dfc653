"""The observation in FHIR spelling: the Task with its deadline, where it stands, and who is told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.catalogue import data_file
from slipring_consent.observing.policy import Length
from slipring_consent.reading import has_code, instant, reference_of
from slipring_consent.resources import TASK_CODE, concept

OBSERVATION_STATE = f"{CANONICAL}/CodeSystem/observation-state"
UCUM = "http://unitsofmeasure.org"


def coded(system: str, code: str) -> Resource:
    """A code of one of this service's code systems, with its text in both languages."""
    names = data_file("vocabulary.toml")[system]["codes"][code]
    return concept(f"{CANONICAL}/CodeSystem/{system}", code, names["zh"], names["en"])


def said(kind: str, **value: Any) -> Resource:
    """One input or output of a Task: `said("note", valueString="...")`."""
    return {"type": coded("task-parameter", kind), **value}


def is_observation(task: Resource) -> bool:
    """Whether a Task is the observation after an injection."""
    return has_code(task.get("code"), TASK_CODE, "observation")


def as_state(code: str) -> Resource:
    """Where an observation stands, as `Task.businessStatus`."""
    return coded("observation-state", code)


def as_observation_task(
    task_id: str,
    administration: Resource,
    exam: str,
    length: Length,
    *,
    begun_at: datetime,
    now: datetime,
    observer: str,
    state: str,
    which: tuple[str, str],
) -> Resource:
    """The Task that keeps the patient under observation until the stored deadline; `which`: the injection in words."""
    given = [
        as_injection(which),
        said(
            "observation-minutes", valueDuration={"value": length.minutes, "unit": "min", "system": UCUM, "code": "min"}
        ),
        said("observation-limit", valueCode=length.limit.id),
        *(said("observation-reason", valueString=f"{zh} / {en}") for zh, en in length.reasons),
        *([said("observer", valueReference={"reference": observer})] if observer else []),
    ]
    task: Resource = {
        "resourceType": "Task",
        "id": task_id,
        "status": "in-progress" if state == "running" else "ready",
        "intent": "order",
        "code": concept(TASK_CODE, "observation", "注射后留观", "Observation after injection"),
        "for": {"reference": reference_of(administration["subject"])},
        "authoredOn": instant(now),
        "lastModified": instant(now),
        "focus": {"reference": f"MedicationAdministration/{administration['id']}"},
        "restriction": {"period": {"start": instant(begun_at), "end": instant(length.ends(begun_at))}},
        "executionPeriod": {"start": instant(begun_at)},
        "businessStatus": as_state(state),
        "input": given,
    }
    return task | ({"basedOn": [{"reference": exam}]} if exam else {})


def as_injection(which: tuple[str, str]) -> Resource:
    """The input that tells this injection from others of the exam."""
    return said("injection", valueString=" / ".join(which))


def as_told(task_id: str, observation: Resource, who: str, zh: str, en: str, *, now: datetime) -> Resource:
    """The notice that tells one person of an observation."""
    return {
        "resourceType": "Task",
        "id": task_id,
        "status": "requested",
        "intent": "order",
        "code": concept(TASK_CODE, "notice", "通知", "Notice"),
        "for": observation["for"],
        "authoredOn": instant(now),
        "priority": "urgent",
        "description": f"{zh}{en}",
        "focus": {"reference": f"Task/{observation['id']}"},
        "owner": {"reference": who},
    }
