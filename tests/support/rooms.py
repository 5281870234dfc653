"""Scanners and their days for tests: a desk with a CT, and calls of the operations on it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from slipring.fhir.service import Call, Changes, Resource
from slipring_order.handlers.scheduling import scheduled
from slipring_order.reading import instant

from tests.support.desk import ADesk
from tests.support.ordering import a_desk, a_request, received, the_exam


def a_scanner(id: str = "o-ct1", **members: Any) -> Resource:
    return {
        "resourceType": "Device", "id": id, "status": "active",
        "deviceName": [{"name": f"示例 CT {id}", "type": "user-friendly-name"}],
        "type": {"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}]},
    } | members  # fmt: skip


def a_booking_desk(*more: Resource) -> ADesk:
    return a_desk(a_scanner(), *more)


async def another_exam(desk: ADesk, name: str, **members: Any) -> Resource:
    """One more exam of the same patient, under a request of this id."""
    await received(desk, a_request(id=name, identifier=[], **members))
    [task] = await desk.search(f"Task?focus=ServiceRequest/{name}&code=exam")
    return task.resource


def call(target: Any, **values: tuple[str, Any] | list[tuple[str, Any]]) -> Call:
    """A call with parameters, each `name=(type, value)`, such as `scanner=("Reference", ...)`."""
    every = [(name, one) for name, said in values.items() for one in (said if isinstance(said, list) else [said])]
    given = [{"name": name, f"value{kind}": value} for name, (kind, value) in every]
    return Call({"resourceType": "Parameters", "parameter": given}, target)


def period(start: datetime, minutes: int = 15) -> tuple[str, Resource]:
    return "Period", {"start": instant(start), "end": instant(start + timedelta(minutes=minutes))}


async def schedule(desk: ADesk, exam: Resource | None = None, **values: tuple[str, Any]) -> Changes:
    target = await desk.read(f"Task/{(exam or await the_exam(desk))['id']}")
    changes = await scheduled(call(target, **values), desk)
    desk.carry_out(changes)
    return changes


def out(changes: Changes, name: str) -> list[Any]:
    """What an answer holds under a name."""
    found = []
    for parameter in (changes.answer or {}).get("parameter", []):
        if parameter["name"] == name:
            found.append(next(value for member, value in parameter.items() if member != "name"))
    return found
