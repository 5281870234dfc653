"""The small service most kernel tests talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import (
    Call,
    Changes,
    Desk,
    Keeps,
    Operation,
    Parameter,
    Save,
    Service,
    UniqueIdentifier,
    Write,
    successor,
)

from tests.fhir.place import Place, opened


async def numbered(write: Write, desk: Desk) -> Changes:
    """A request gets its number once; one with the note "no" is refused and the refusal kept as an issue."""
    notes = [note["text"] for note in write.resource.get("note", [])]
    if "no" in notes:
        issue = {"resourceType": "DetectedIssue", "id": desk.new_id(), "status": "final"}
        error = unprocessable("Not like this.", "不行。", at="ServiceRequest.note[0]")
        return Changes(save=[Save(issue)], refuse=error)
    if "bug" in notes:
        raise ZeroDivisionError
    if write.before is None and write.method != "delete":
        number = await desk.next_value("imaging_number")
        kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "ACSN"}]}
        return Changes(append={"identifier": [{"type": kind, "system": "urn:ct", "value": f"CT{number}"}]})
    return Changes.none()


async def counted(call: Call, desk: Desk) -> Changes:
    """Adds one to the task's note count."""
    assert call.target is not None
    notes = [*call.target.resource.get("note", []), {"text": str(call.value("text"))}]
    return Changes(save=[successor(call.target, note=notes)], answer={**call.target.resource, "note": notes})


def small_service() -> Service:
    """Patients, requests with numbers, tasks with an operation, observations, records that stay."""
    return Service(
        "order",
        "o",
        "A small service",
        keeps=[
            Keeps("Patient"),
            Keeps(
                "ServiceRequest", numbered, unique=(UniqueIdentifier("PLAC"), UniqueIdentifier("ACSN")), owned=("ACSN",)
            ),
            Keeps("Task"),
            Keeps("Observation"),
            Keeps("DiagnosticReport", record=True),
            Keeps("DetectedIssue"),
        ],
        operations=[
            Operation("Task", "count", counted, parameters=(Parameter("text", "string", min=1),)),
        ],
        sequences=["imaging_number"],
    )


@pytest.fixture(scope="module")
async def place(data_dir: Path) -> AsyncIterator[Place]:
    """A small service whose loops stand still; eight connections, so that starving shows."""
    async with opened(data_dir, small_service(), pool_size=8) as street:
        yield street["order"]
