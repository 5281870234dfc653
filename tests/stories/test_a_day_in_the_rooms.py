"""A day at the scanners on the real store: booked at once, moved, received, checked and scanned; one out of limits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest
from slipring.fhir.service import CANONICAL as C
from slipring.identity.clients import DEMO_DEPARTMENT
from slipring.identity.scopes import LOADING
from slipring_demo.cast import cast_bundle, staff_of
from slipring_demo.story import made_by
from slipring_demo.teller import parameters, value_of
from slipring_order.reading import instant

from tests.dicom.scheduled import a_patient, a_request, a_scanner
from tests.support.department import Department

Tree = dict[str, Any]


@dataclass
class Rooms:
    """The department with one scanner, and what a day does with it."""

    department: Department
    staff: dict[str, str] = field(default_factory=dict)
    scanner: Tree = field(default_factory=dict)

    async def opened(self) -> Rooms:
        async with self.department.client(DEMO_DEPARTMENT, LOADING) as loading:
            answer = await self.department.post("", cast_bundle(with_patient=False), loading)
        assert answer.status_code == 200, answer.text
        self.staff = staff_of(made_by(answer.json()))
        self.scanner = await self.made(a_scanner("CT1"))
        return self

    async def made(self, resource: Tree) -> Tree:
        answer = await self.department.post(resource["resourceType"], resource)
        assert answer.status_code == 201, answer.text
        tree: Tree = answer.json()
        return tree

    async def exam(self, number: str, **members: Any) -> Tree:
        """A justified exam of a patient of his own; its Task."""
        patient = await self.made(a_patient(number))
        request = await self.made(a_request(patient, self.staff["requester"], **members))
        [task] = await self.department.found(f"Task?focus=ServiceRequest/{request['id']}&code=exam")
        assert state(task) == "justified", task
        return task

    async def asked(self, exam: Tree, operation: str, **values: Any) -> httpx.Response:
        """An operation on an exam; who is told to come again does so."""
        for _ in range(40):
            answer = await self.department.post(f"Task/{exam['id']}/${operation}", parameters(**values))
            if answer.status_code != 503:
                break
            await asyncio.sleep(0.05)
        return answer

    async def at(self, exam: Tree, minutes: int) -> httpx.Response:
        """Book the exam on the scanner, so many minutes after this time tomorrow."""
        start = self.department.clock.now() + timedelta(days=1, minutes=minutes)
        period = {"start": instant(start), "end": instant(start + timedelta(minutes=15))}
        return await self.asked(exam, "schedule", scanner=("Reference", self.here), period=("Period", period))

    @property
    def here(self) -> Tree:
        return {"reference": f"Device/{self.scanner['id']}"}

    async def carried_out(self, exam: Tree, number: str) -> list[int]:
        """From the counter to the end of the scan by operations alone; the answers' status codes."""
        technologist = ("Reference", {"reference": self.staff["technologist"]})
        shown: Tree = {
            "identifier": ("Identifier", {"value": number}),
            "birthDate": ("Date", "1958-04-12"),
            "performer": technologist,
        }
        steps: list[tuple[str, Tree]] = [
            ("arrive", shown),
            ("check", shown | {"item": ("Code", "identity-confirmed")}),
            ("check", {"item": ("Code", "item-confirmed"), "performer": technologist}),
            ("check", {"item": ("Code", "parameters-set"), "performer": technologist}),
            ("start", {"performer": technologist}),
            ("finish", {"performer": technologist}),
        ]
        return [(await self.asked(exam, name, **values)).status_code for name, values in steps]

    async def tested(self, test: str, value: float, kind: str = "constancy") -> Tree:
        """A test result of the scanner, entered now by plain FHIR."""
        return await self.made(
            {
                "resourceType": "Observation", "status": "final", "subject": self.here,
                "code": {"coding": [{"system": f"{C}/CodeSystem/scanner-test", "code": test}]},
                "method": {"coding": [{"system": f"{C}/CodeSystem/scanner-test-kind", "code": kind}]},
                "effectiveDateTime": instant(self.department.clock.now()), "valueQuantity": {"value": value, "unit": "HU"},
            }
        )  # fmt: skip


def state(task: Tree) -> str:
    return str(task["businessStatus"]["coding"][0]["code"])


@pytest.fixture(scope="module")
async def rooms(department: Department) -> Rooms:
    """A scanner and its people."""
    return await Rooms(department).opened()


async def test_of_many_who_book_one_slot_at_once_exactly_one_gets_it(rooms: Rooms) -> None:
    exams = [await rooms.exam(f"P-{number}") for number in range(6)]
    answers = await asyncio.gather(*(rooms.at(exam, 0) for exam in exams))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
    assert all("order.slot-taken" in answer.text for answer in answers if answer.status_code == 409)
    booked = await rooms.department.found(f"Appointment?actor={rooms.here['reference']}&status=booked")
    assert len(booked) == 1


async def test_of_many_who_take_the_next_free_slot_at_once_each_gets_his_own(rooms: Rooms) -> None:
    exams = [await rooms.exam(f"N-{number}") for number in range(5)]
    answers = await asyncio.gather(*(rooms.asked(exam, "schedule") for exam in exams))
    assert {answer.status_code for answer in answers} == {200}, [answer.text for answer in answers]
    steps = [value_of(answer.json(), "step") for answer in answers]
    taken = {(step["restriction"]["period"]["start"], step["owner"]["reference"]) for step in steps}
    assert len(taken) == len(exams)
    uids = {value_of(answer.json(), "step")["identifier"][1]["value"] for answer in answers}
    assert len(uids) == len(exams)


@pytest.mark.clause("5.5.1.1")
@pytest.mark.clause("4.13 d")
async def test_a_day_of_several_exams_is_booked_moved_received_checked_and_performed(rooms: Rooms) -> None:
    first, second, third = [await rooms.exam(f"D-{number}") for number in range(3)]
    for exam, minutes in ((first, 60), (second, 75), (third, 90)):
        assert (await rooms.at(exam, minutes)).status_code == 200
    assert (await rooms.at(first, 120)).status_code == 200  # another time, and the old one is free
    assert (await rooms.at(second, 60)).status_code == 200
    assert (await rooms.asked(third, "unschedule")).status_code == 200
    assert await rooms.carried_out(first, "D-0") == [200] * 6
    assert await rooms.carried_out(second, "D-1") == [200] * 6
    for exam in (first, second):
        done = await rooms.department.get(f"Task/{exam['id']}")
        assert state(done) == "acquired"
        [step] = await rooms.department.found(f"Task?part-of=Task/{exam['id']}&code=scheduled-step")
        assert step["status"] == "completed" and {"start", "end"} <= step["executionPeriod"].keys()
    assert state(await rooms.department.get(f"Task/{third['id']}")) == "justified"
    register = (await rooms.department.post("Task/$arrivals", parameters())).json()
    numbers = {
        part["valueString"] for e in register["parameter"] for part in e["part"] if part["name"] == "imagingNumber"
    }
    assert {first["groupIdentifier"]["value"], second["groupIdentifier"]["value"]} <= numbers


@pytest.mark.clause("5.6.2.3")
async def test_a_scanner_out_of_limits_starts_nobody_until_it_passes_again(rooms: Rooms) -> None:
    await rooms.tested("water", 0.5, "acceptance")
    done, waiting = await rooms.exam("Q-1"), await rooms.exam("Q-2")
    assert (await rooms.at(done, 200)).status_code == (await rooms.at(waiting, 215)).status_code == 200
    assert await rooms.carried_out(done, "Q-1") == [200] * 6
    rooms.department.clock.advance(timedelta(minutes=5))
    await rooms.tested("water", 9.5)
    fitness = (await rooms.department.post(f"{rooms.here['reference']}/$fitness", parameters())).json()
    assert value_of(fitness, "fit") is False
    [found] = await rooms.department.found(f"DetectedIssue?implicated={rooms.here['reference']}")
    assert "CT number of water" in str(found["_detail"])
    [task] = await rooms.department.found(f"Task?focus={rooms.here['reference']}&code=nonconformity")
    assert {"reference": f"Task/{done['id']}"} in [entry["valueReference"] for entry in task["input"]]
    assert await rooms.carried_out(waiting, "Q-2") == [200, 200, 200, 200, 422, 409]
    rooms.department.clock.advance(timedelta(minutes=5))
    await rooms.tested("water", 0.0)
    technologist = ("Reference", {"reference": rooms.staff["technologist"]})
    assert (await rooms.asked(waiting, "start", performer=technologist)).status_code == 200


@pytest.mark.clause("5.6.2.3")
async def test_a_measured_value_that_nobody_can_judge_is_refused_at_its_element_by_every_road(rooms: Rooms) -> None:
    department, urn = rooms.department, "urn:uuid:0e5f2c3e-6a51-4a0b-9a8c-5f0d7a3c1b42"
    now = instant(department.clock.now())

    def measured(scanner: str, unit: str = "cm", **members: Any) -> Tree:
        return {
            "resourceType": "Observation", "status": "final", "subject": {"reference": scanner}, "effectiveDateTime": now,
            "code": {"coding": [{"system": f"{C}/CodeSystem/scanner-test", "code": "couch"}]},
            "valueQuantity": {"value": 0.1, "system": "http://unitsofmeasure.org", "code": unit},
        } | members  # fmt: skip

    async def together(*resources: Tree) -> httpx.Response:
        entries = [
            {
                "resource": one,
                "request": {"method": "POST", "url": one["resourceType"]},
                "fullUrl": urn[:-1] + str(number),
            }
            for number, one in enumerate(resources)
        ]
        return await department.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})

    def wrong(answer: httpx.Response) -> list[str]:
        assert answer.status_code == 422, answer.text
        assert all("order." in str(one["details"]) for one in answer.json()["issue"])
        return [place for one in answer.json()["issue"] for place in one["expression"]]

    taken = await together(a_scanner("CT2"), measured(urn[:-1] + "0"))
    assert taken.status_code == 200, taken.text
    device, first = (one["response"]["location"].split("/_history")[0] for one in taken.json()["entry"])
    scanner = "/".join(device.split("/")[-2:])
    assert wrong(await department.post("Observation", measured(scanner, "kg"))) == ["Observation.valueQuantity"]
    late = instant(department.clock.now() + timedelta(days=1))
    changed = measured(scanner, effectiveDateTime=late) | {"id": first.split("/")[-1]}
    assert wrong(await department.put(changed)) == ["Observation.effectiveDateTime"]
    [place] = wrong(await together(measured(scanner), measured("Device/o-none")))
    assert place.startswith("Bundle.entry[1]") and place.endswith("subject")
    for elsewhere in ("Device/o-none", f"https://elsewhere.example/fhir/{scanner}", f"{scanner}/_history/1"):
        assert wrong(await department.post("Observation", measured(elsewhere))) == ["Observation.subject"]
    [only] = await department.found(f"Observation?subject={scanner}")
    assert only["id"] == changed["id"] and only["meta"]["versionId"] == "1", "nothing of it is stored"
    told = (await department.post(f"{scanner}/$fitness", parameters())).json()
    assert value_of(told, "fit") is True
    part = [
        {"name": "test", "valueCode": "couch"},
        {"name": "quantity", "valueQuantity": measured("", "kg")["valueQuantity"]},
    ]
    asked = parameters(performer=("Reference", {"reference": rooms.staff["technologist"]}))
    asked["parameter"].append({"name": "value", "part": part})
    assert wrong(await department.post(f"{scanner}/$enter-qc", asked)) == ["Parameters.parameter[1].part"]
