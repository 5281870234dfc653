"""What an observation Task says about itself. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from slipring.fhir.service import Resource

from slipring_consent.observing.policy import LEAST
from slipring_consent.reading import is_coded, moment, reference_of

RUNNING = ("in-progress", "ready")
FIXED = ("focus", "for", "code", "basedOn", "restriction", "authoredOn", "input")  # what only the service writes


def injection_of(task: Resource) -> str:
    """The MedicationAdministration that is watched after."""
    return reference_of(task.get("focus"))


def timer_of(injection: str) -> str:
    """The key of its one timer: the end of the time, then each step of the escalation; also the business key."""
    return f"observation:{injection}"


def begun_at(task: Resource, time_zone: str) -> datetime | None:
    """From when on the patient is observed."""
    return moment(task.get("restriction", {}).get("period", {}).get("start"), time_zone)


def ends_at(task: Resource, time_zone: str) -> datetime | None:
    """The stored deadline: not released before."""
    return moment(task.get("restriction", {}).get("period", {}).get("end"), time_zone)


def told(task: Resource, member: str, kind: str) -> list[Any]:
    """The values of the inputs or outputs of one kind."""
    return [
        value
        for entry in task.get(member, [])
        if is_coded(entry.get("type"), kind)
        for name, value in entry.items()
        if name.startswith("value")
    ]


def observer_of(task: Resource) -> str:
    """Who was named to observe; empty when nobody was."""
    return next((reference_of(one) for one in told(task, "input", "observer")), "")


def limit_of(task: Resource) -> str:
    """The limit that sets its length."""
    return str(next(iter(told(task, "input", "observation-limit")), LEAST))


def state_of(task: Resource) -> str:
    """Where it stands, of CodeSystem observation-state."""
    return next((str(one.get("code")) for one in task.get("businessStatus", {}).get("coding", [])), "")
