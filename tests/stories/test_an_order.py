"""A request through the front: numbers, findings, decisions and moves on the real store."""

from __future__ import annotations

import asyncio
from typing import Any

from slipring.fhir.service import CANONICAL as C

from tests.support.department import Department
from tests.support.ordering import a_patient, a_person, a_request, identity_confirmed

Tree = dict[str, Any]
NEW_REQUEST = "urn:uuid:7f1c9d38-4d3c-4d1e-9f57-0b6f7a1c2a01"


async def made(department: Department, resource: Tree) -> Tree:
    resource = {name: value for name, value in resource.items() if name != "id"}
    answer = await department.post(resource["resourceType"], resource, Prefer="return=representation")
    assert answer.status_code == 201, answer.text
    tree: Tree = answer.json()
    return tree


async def people(department: Department) -> tuple[Tree, Tree, Tree]:
    patient = await made(department, a_patient())
    found = []
    for roles in (("requester",), ("radiologist",)):
        person, role = a_person("x", "attending-physician", *roles)
        person = await made(department, person)
        await made(department, role | {"practitioner": {"reference": f"Practitioner/{person['id']}"}})
        found.append(person)
    return patient, found[0], found[1]


def the_request(patient: Tree, doctor: Tree, **members: Any) -> Tree:
    links = {
        "subject": {"reference": f"Patient/{patient['id']}"},
        "requester": {"reference": f"Practitioner/{doctor['id']}"},
        "identifier": [],
    }
    return {name: value for name, value in a_request(**(links | members)).items() if value not in (None, [])}


async def the_exam(department: Department, request: Tree) -> Tree:
    [task] = await department.found(f"Task?focus=ServiceRequest/{request['id']}&code=exam")
    return task


def state(task: Tree) -> str:
    return str(task["businessStatus"]["coding"][0]["code"])


async def test_a_held_request_is_completed_decided_and_carried_out(department: Department) -> None:
    patient, doctor, _ = await people(department)
    request = await made(department, the_request(patient, doctor, note=None))
    types = {i["type"]["coding"][0]["code"]: i["value"] for i in request["identifier"]}
    assert len(types["ACSN"]) == 16 and types["FILL"] == request["id"]
    assert state(await the_exam(department, request)) == "awaiting-information"
    assert len(await department.found(f"DetectedIssue?implicated=ServiceRequest/{request['id']}")) == 1
    answer = await department.put({**request, "note": [{"text": "无"}]})
    assert answer.status_code == 200, answer.text
    task = await the_exam(department, request)
    assert state(task) == "justified"
    skipped = task | {"businessStatus": {"coding": [{"system": f"{C}/CodeSystem/exam-state", "code": "acquired"}]}}
    refused = await department.put(skipped)
    assert refused.status_code == 409 and "scheduled" in refused.text
    for step in ("scheduled", "arrived", "ready", "in-progress"):
        task = await the_exam(department, request)
        if step == "ready":
            confirmed = identity_confirmed(None).parameters
            confirmed["parameter"][-1]["valueReference"] = {"reference": f"Practitioner/{doctor['id']}"}
            answer = await department.post(f"Task/{task['id']}/$check", confirmed)
            assert answer.status_code == 200, answer.text
            continue
        task["businessStatus"] = {"coding": [{"system": f"{C}/CodeSystem/exam-state", "code": step}]}
        answer = await department.put(task)
        assert answer.status_code == 200, answer.text
    dose = {
        "resourceType": "Observation", "status": "final", "basedOn": [{"reference": f"ServiceRequest/{request['id']}"}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "73569-6"}]}, "valueString": "1 event",
    }  # fmt: skip
    await made(department, dose)
    assert state(await the_exam(department, request)) == "acquired"


async def test_a_physician_reverses_a_rejection_by_name(department: Department) -> None:
    patient, _, radiologist = await people(department)
    request = await made(department, the_request(patient, radiologist))
    task = await the_exam(department, request)
    assert state(task) == "rejected"
    given = [
        {"name": "decision", "valueCode": "justified"},
        {"name": "reason", "valueCodeableConcept": {"coding": [{"code": "confirmed-by-phone"}]}},
    ]
    call = {"resourceType": "Parameters", "parameter": given}
    assert (await department.post(f"Task/{task['id']}/$decide", call)).status_code == 422
    given.append({"name": "performer", "valueReference": {"reference": f"Practitioner/{radiologist['id']}"}})
    answer = await department.post(f"Task/{task['id']}/$decide", call)
    assert answer.status_code == 200, answer.text
    assert state(await the_exam(department, request)) == "justified"


async def test_a_request_and_its_pregnancy_status_in_one_transaction_are_judged_together(
    department: Department,
) -> None:
    _, doctor, _ = await people(department)
    patient = await made(department, a_patient(gender="female", birthDate="1996-01-01"))
    code = {"coding": [{"system": "http://loinc.org", "code": "36424-0"}]}
    request = the_request(patient, doctor, code=code)
    request.pop("id")
    status = {
        "resourceType": "Observation", "status": "final", "subject": {"reference": f"Patient/{patient['id']}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}]},
        "basedOn": [{"reference": NEW_REQUEST}],
        "effectiveDateTime": "2026-11-23", "valueCodeableConcept": {"coding": [{"code": "LA26683-5"}]},
    }  # fmt: skip
    bundle = {
        "resourceType": "Bundle", "type": "transaction",
        "entry": [
            {"fullUrl": NEW_REQUEST, "resource": request,
             "request": {"method": "POST", "url": "ServiceRequest"}},
            {"fullUrl": "urn:uuid:7f1c9d38-4d3c-4d1e-9f57-0b6f7a1c2a02", "resource": status,
             "request": {"method": "POST", "url": "Observation"}},
        ],
    }  # fmt: skip
    answer = await department.post("", bundle)
    assert answer.status_code == 200, answer.text
    reference = answer.json()["entry"][0]["response"]["location"].split("/_history")[0].split("/fhir/")[-1]
    assert state(await the_exam(department, {"id": reference.split("/")[-1]})) == "justified"


async def test_the_same_order_number_sent_many_times_is_one_request(department: Department) -> None:
    patient, doctor, _ = await people(department)
    placer = {"type": {"coding": [{"code": "PLAC"}]}, "system": "urn:his", "value": "order-64"}
    request = the_request(patient, doctor, identifier=[placer])
    request.pop("id")
    answers = await asyncio.gather(
        *(department.post("ServiceRequest", request, If_None_Exist="identifier=urn:his|order-64") for _ in range(16))
    )
    assert {answer.status_code for answer in answers} <= {200, 201}
    [stored] = await department.found("ServiceRequest?identifier=urn:his|order-64")
    assert len(await department.found(f"Task?focus=ServiceRequest/{stored['id']}&code=exam")) == 1


async def test_a_dry_run_judges_and_stores_nothing(department: Department) -> None:
    patient, doctor, _ = await people(department)
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": the_request(patient, doctor)}]}
    call = {"resourceType": "Parameters", "parameter": [{"name": "data", "resource": bundle}]}
    before = len(await department.found("DetectedIssue?_count=1000"))
    answer = await department.post("ServiceRequest/$justify", call)
    assert answer.status_code == 200, answer.text
    assert answer.json()["parameter"][0] == {"name": "outcome", "valueCode": "justified"}
    assert len(await department.found("DetectedIssue?_count=1000")) == before
