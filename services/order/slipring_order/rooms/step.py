"""The scheduled step: which scanner scans which exam when, by which protocol, under which Study Instance UID.

It is a Task of code `scheduled-step` beside the exam's coordination Task. Everything that shows a day's work or a
worklist reads it through `read_step`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from slipring.fhir.service import CANONICAL, Resource, Save, Stored, successor

from slipring_order.reading import has_code, instant, reference_of
from slipring_order.resources import TASK_CODE_SYSTEM

STEP_CODE = "scheduled-step"
STEP_SYSTEM = f"{CANONICAL}/sid/scheduled-step"
UID_SYSTEM = "urn:dicom:uid"
STEP_SEQUENCE = "scheduled_step"
_INPUT = f"{CANONICAL}/CodeSystem/task-input"
_NUMBER_DIGITS = 9  # with the letter before it ten characters; DICOM SH holds 16
# What Task.status of a step means: on the worklist; taken off it for a while; begun; over.
WAITING, HELD, RUNNING = "accepted", "on-hold", "in-progress"
ENDED = frozenset({"completed", "failed", "cancelled", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class ScheduledStep:
    """A scheduled step as worklist, day schedule and pages read it."""

    reference: str  # Task/...
    step_id: str  # Scheduled Procedure Step ID (0040,0009), at most 16 characters
    study_instance_uid: str  # reserved for the images (0020,000D)
    imaging_number: str  # Accession Number (0008,0050)
    exam: str  # Task/..., the coordination Task
    request: str  # ServiceRequest/...
    patient: str
    scanner: str  # Device/...
    starts_at: datetime
    ends_at: datetime
    protocol: str  # PlanDefinition/..., or a code; empty when none is named
    protocol_text: str
    priority: str
    status: str  # accepted: waits on the worklist; on-hold; in-progress; completed; failed; cancelled
    appointment: str  # Appointment/...

    @property
    def waits(self) -> bool:
        """Whether it belongs on the worklist as far as its exam is concerned."""
        return self.status == WAITING


@dataclass(frozen=True, slots=True)
class Booking:
    """What is booked: a scanner for a span of time, and the protocol by which it scans."""

    scanner: str
    starts_at: datetime
    ends_at: datetime
    protocol: Mapping[str, Any] | None = None  # a Reference or a CodeableConcept


def is_step(task: Resource) -> bool:
    """Whether a Task is a scheduled step."""
    return has_code(task.get("code"), TASK_CODE_SYSTEM, STEP_CODE)


def read_step(task: Resource) -> ScheduledStep:
    """A scheduled step out of its Task; LookupError if an element that we write is not there."""
    period = task["restriction"]["period"]
    protocol = protocol_in(task)
    coded = protocol.get("coding", []) if protocol else []
    return ScheduledStep(
        reference=f"Task/{task['id']}",
        step_id=_identifier(task, STEP_SYSTEM),
        study_instance_uid=_identifier(task, UID_SYSTEM).removeprefix("urn:oid:"),
        imaging_number=str(task.get("groupIdentifier", {}).get("value", "")),
        exam=reference_of(task["partOf"][0]),
        request=reference_of(task["focus"]),
        patient=reference_of(task.get("for")),
        scanner=reference_of(task["owner"]),
        starts_at=datetime.fromisoformat(period["start"]).astimezone(UTC),
        ends_at=datetime.fromisoformat(period["end"]).astimezone(UTC),
        protocol=reference_of(protocol) or (str(coded[0].get("code", "")) if coded else ""),
        protocol_text=str((protocol or {}).get("text") or (protocol or {}).get("display") or _display(coded)),
        priority=str(task.get("priority", "routine")),
        status=str(task["status"]),
        appointment=reference_of(_input(task, "appointment")),
    )


def protocol_in(step: Resource) -> Resource | None:
    """By what a step is scanned: a Reference to a PlanDefinition, or a concept."""
    return _input(step, "protocol")


def step_number(number: int) -> str:
    """The Scheduled Procedure Step ID made of a sequence's number.

    >>> step_number(42)
    'S000000042'
    """
    return f"S{number % 10**_NUMBER_DIGITS:0{_NUMBER_DIGITS}d}"


def reserved_uid(exam: str) -> str:
    """The Study Instance UID reserved for an exam: derived from a UUID (DICOM PS3.5 B.2), always the same for one exam.

    >>> reserved_uid("Task/o-1").startswith("2.25.")
    True
    """
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, f'{CANONICAL}/{exam}').int}"


def new_step(exam: Stored, booking: Booking, appointment: str, *, id: str, step_id: str, now: datetime) -> Resource:
    """The scheduled step of an exam, waiting on the worklist."""
    task = exam.resource
    step: Resource = {
        "resourceType": "Task",
        "id": id,
        "identifier": [
            {"system": STEP_SYSTEM, "value": step_id},
            {"system": UID_SYSTEM, "value": f"urn:oid:{reserved_uid(exam.reference)}"},
        ],
        "basedOn": task["basedOn"],
        "groupIdentifier": task.get("groupIdentifier"),
        "partOf": [{"reference": exam.reference}],
        "intent": "order",
        "code": {"coding": [{"system": TASK_CODE_SYSTEM, "code": STEP_CODE}]},
        "focus": task["focus"],
        "for": task.get("for"),
        "encounter": task.get("encounter"),
        "authoredOn": instant(now),
        "requester": task.get("requester"),
        **_booked(exam, booking, appointment, now),
    }
    return {name: value for name, value in step.items() if value is not None}


def rebooked(step: Stored, exam: Stored, booking: Booking, appointment: str, now: datetime) -> Save:
    """The same step at another time or on another scanner; its numbers stay."""
    return successor(step, executionPeriod=None, **_booked(exam, booking, appointment, now))


def step_in(step: Stored, status: str, now: datetime, **members: Any) -> Save:
    """The step in another status."""
    return successor(step, status=status, lastModified=instant(now), **members)


def _booked(exam: Stored, booking: Booking, appointment: str, now: datetime) -> dict[str, Any]:
    inputs = [_as_input("appointment", {"reference": appointment})]
    if booking.protocol:
        inputs.append(_as_input("protocol", booking.protocol))
    return {
        "status": WAITING,
        "priority": exam.resource.get("priority", "routine"),
        "lastModified": instant(now),
        "owner": {"reference": booking.scanner},
        "restriction": {"period": {"start": instant(booking.starts_at), "end": instant(booking.ends_at)}},
        "input": inputs,
    }


def _as_input(code: str, value: Mapping[str, Any]) -> Resource:
    member = "valueReference" if "reference" in value else "valueCodeableConcept"
    return {"type": {"coding": [{"system": _INPUT, "code": code}]}, member: dict(value)}


def _input(task: Resource, code: str) -> Resource | None:
    for entry in task.get("input", []):
        if has_code(entry.get("type"), _INPUT, code):
            found: Resource | None = entry.get("valueReference") or entry.get("valueCodeableConcept")
            return found
    return None


def _identifier(task: Resource, system: str) -> str:
    found = (entry["value"] for entry in task.get("identifier", []) if entry.get("system") == system)
    return next(iter(found), "")


def _display(coded: list[Resource]) -> str:
    return str(coded[0].get("display", "")) if coded else ""
