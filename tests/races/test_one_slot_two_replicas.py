"""Two replicas of order on one schema book the same time at once: one has it, the other is told what is free."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import httpx
from slipring_demo.teller import parameters
from slipring_order.reading import instant
from slipring_order.service import SERVICE

from tests.fhir.place import Place, opened
from tests.support.ordering import a_patient, a_person, a_request
from tests.support.rooms import a_scanner

Tree = dict[str, Any]
_ROUNDS = 4


def without_id(resource: Tree) -> Tree:
    return {name: value for name, value in resource.items() if name != "id"}


async def an_exam(place: Place, patient: Tree, doctor: Tree) -> Tree:
    """A justified exam; its Task."""
    subject, requester = ({"reference": f"{one['resourceType']}/{one['id']}"} for one in (patient, doctor))
    request = await place.make(without_id(a_request(identifier=None, subject=subject, requester=requester)))
    [task] = await place.found(f"Task?focus=ServiceRequest/{request['id']}&code=exam")
    assert task["businessStatus"]["coding"][0]["code"] == "justified"
    return task


async def booked(place: Place, exam: Tree, scanner: Tree, start: datetime) -> httpx.Response:
    """Book it; who is told to come again does so."""
    period = {"start": instant(start), "end": instant(start + timedelta(minutes=15))}
    asked = parameters(scanner=("Reference", {"reference": f"Device/{scanner['id']}"}), period=("Period", period))
    for _ in range(40):
        answer = await place.ask("POST", f"Task/{exam['id']}/$schedule", asked)
        if answer.status_code != 503:
            break
        await asyncio.sleep(0.05)
    return answer


async def test_of_two_replicas_that_book_one_time_at_once_exactly_one_gets_it(data_dir: Path) -> None:
    prefix = f"slot{os.getpid()}_"
    async with (
        opened(data_dir, SERVICE, schema_prefix=prefix) as street,
        opened(data_dir, SERVICE, schema_prefix=prefix) as beside,
    ):
        one, other = street["order"], beside["order"]
        doctor, role = a_person("x", "attending-physician", "requester")
        doctor = await one.make(without_id(doctor))
        await one.make(without_id(role) | {"practitioner": {"reference": f"Practitioner/{doctor['id']}"}})
        scanner = await one.make(without_id(a_scanner()))
        opens = datetime.combine(datetime.now(UTC).date() + timedelta(days=3), time(2), UTC)  # ten in the department
        for number in range(_ROUNDS):
            pair = []
            for name in ("a", "b"):
                card = [{"system": "urn:hospital", "value": f"{name}{number}"}]
                pair.append(await an_exam(one, await one.make(without_id(a_patient(identifier=card))), doctor))
            start = opens + timedelta(hours=number)
            first, second = await asyncio.gather(
                *(booked(p, e, scanner, start) for p, e in zip((one, other), pair, strict=True))
            )
            won, lost = sorted((first, second), key=lambda answer: answer.status_code)
            assert (won.status_code, lost.status_code) == (200, 409), (first.text, second.text)
            [issue] = lost.json()["issue"]
            assert issue["details"]["coding"][0]["code"] == "order.slot-taken"
            assert issue["expression"] == ["Parameters.parameter[1]"]
            assert issue["diagnostics"].count("+08:00") >= 2, "it names free slots"
            held = await one.found(f"Appointment?actor=Device/{scanner['id']}&date={start.date()}&status=booked")
            assert len([a for a in held if a["start"] == instant(start)]) == 1
