"""Many at once: one order number makes one request, and no decision stands on what has changed."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

from slipring.fhir.service import Call, Changes, Desk, Keeps, Operation, Require, Save, Service, successor

from tests.fhir.place import Place, a_bundle, a_patient, a_request, a_task, opened


async def test_sixty_four_conditional_creates_make_one(place: Place) -> None:
    headers = {"If-None-Exist": "identifier=urn:his|at-once"}
    answers = await asyncio.gather(
        *(place.ask("POST", "ServiceRequest", a_request("at-once"), headers=headers) for _ in range(64))
    )
    assert Counter(answer.status_code for answer in answers) == {200: 63, 201: 1}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len(await place.found("ServiceRequest?identifier=urn:his|at-once")) == 1


async def test_sixty_four_transactions_with_the_same_condition_make_one(place: Place) -> None:
    bundle = a_bundle(
        "transaction", ("POST", "ServiceRequest", a_request("at-once-t")), ("POST", "Patient", a_patient())
    )
    bundle["entry"][0]["request"]["ifNoneExist"] = "identifier=urn:his|at-once-t"
    answers = await asyncio.gather(*(place.ask("POST", "", bundle) for _ in range(64)))
    assert {answer.status_code for answer in answers} == {200}
    statuses = Counter(answer.json()["entry"][0]["response"]["status"] for answer in answers)
    assert statuses == {"200 OK": 63, "201 Created": 1}


async def test_different_conditions_with_one_number_make_one_and_name_it(place: Place) -> None:
    async def ask(n: int) -> Any:
        headers = {"If-None-Exist": f"identifier=urn:his|never-{n}"}
        return await place.ask("POST", "ServiceRequest", a_request("pending"), headers=headers)

    answers = await asyncio.gather(*(ask(n) for n in range(32)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 31}
    made = next(answer.json()["id"] for answer in answers if answer.status_code == 201)
    told = {answer.headers["location"].rpartition("/")[2] for answer in answers if answer.status_code == 409}
    assert told == {made}


async def test_a_condition_that_says_nothing_is_refused(place: Place) -> None:
    for text in ("", "_count=1", "?"):
        answer = await place.ask("POST", "Patient", a_patient(), headers={"If-None-Exist": text})
        assert answer.status_code == 400, text


async def test_a_writer_that_may_not_read_is_not_shown_what_stands(place: Place) -> None:
    await place.make(a_request("unseen"))
    headers = {"If-None-Exist": "identifier=urn:his|unseen"}
    answer = await place.ask(
        "POST", "ServiceRequest", a_request("unseen"), headers=headers, scopes="system/ServiceRequest.c"
    )
    assert (answer.status_code, answer.content) == (200, b"")


async def test_of_parallel_updates_of_one_version_one_is_taken(place: Place) -> None:
    task = await place.make(a_task())
    answers = await asyncio.gather(
        *(
            place.ask("PUT", f"Task/{task['id']}", {**task, "description": str(n)}, headers={"If-Match": 'W/"1"'})
            for n in range(16)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 15}


async def test_a_decision_is_made_again_when_what_it_relied_on_has_changed(data_dir: Path) -> None:
    """The handler waits until somebody else has changed the patient it has read."""
    looked = asyncio.Event()
    go_on = asyncio.Event()
    seen: list[int] = []

    async def judge(call: Call, desk: Desk) -> Changes:
        assert call.target is not None
        patient = await desk.read(call.target.resource["for"]["reference"])
        assert patient is not None
        seen.append(patient.version)
        looked.set()
        await go_on.wait()
        issue = {
            "resourceType": "DetectedIssue",
            "id": desk.new_id(),
            "status": "final",
            "detail": str(patient.version),
        }
        return Changes(
            save=[Save(issue), successor(call.target, status="completed")],
            require=[Require(patient.reference, patient.version)],
        )

    service = Service(
        "order", "o", "x", keeps=[Keeps("Patient"), Keeps("Task"), Keeps("DetectedIssue")],
        operations=[Operation("Task", "judge", judge)],
    )  # fmt: skip
    async with opened(data_dir, service) as street:
        place = street["order"]
        patient = await place.make(a_patient())
        task = await place.make(a_task(**{"for": {"reference": f"Patient/{patient['id']}"}}))
        judging = asyncio.create_task(place.ask("POST", f"Task/{task['id']}/$judge"))
        await looked.wait()
        await place.ask("PUT", f"Patient/{patient['id']}", {**patient, "active": True})
        go_on.set()
        assert (await judging).status_code == 200
        assert seen == [1, 2]
        assert [issue["detail"] for issue in await place.found("DetectedIssue")] == ["2"]


async def test_a_business_key_is_taken_once(data_dir: Path) -> None:
    async def open_case(call: Call, desk: Desk) -> Changes:
        case = a_task(id=desk.new_id())
        return Changes(save=[Save(case)], keys=["case:1"], answer=case)

    service = Service(
        "order", "o", "x", keeps=[Keeps("Task")], operations=[Operation("Task", "open", open_case, "type")]
    )
    async with opened(data_dir, service) as street:
        answers = await asyncio.gather(*(street["order"].ask("POST", "Task/$open") for _ in range(16)))
        assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 15}
        assert len(await street["order"].found("Task")) == 1


async def test_what_only_looks_sees_one_moment_and_is_never_overtaken(data_dir: Path) -> None:
    """Two lanes of one patient are moved together whenever one of them has been read."""
    lanes: list[dict[str, Any]] = []
    places: list[Place] = []

    async def compared(call: Call, desk: Desk) -> Changes:
        left = await desk.read(f"Task/{lanes[0]['id']}")
        both = [("PUT", f"Task/{one['id']}", {**one, "description": desk.new_id()}) for one in lanes]
        assert (await places[0].ask("POST", "", a_bundle("transaction", *both))).status_code == 200
        [right] = await desk.search(f"Task?_id={lanes[1]['id']}")
        told = [{"name": "version", "valueInteger": each.version} for each in (left, right) if each]
        return Changes(answer={"resourceType": "Parameters", "parameter": told})

    service = Service(
        "order", "o", "x", keeps=[Keeps("Patient"), Keeps("Task")],
        operations=[Operation("Task", "compare", compared, "type", affects_state=False)],
    )  # fmt: skip
    async with opened(data_dir, service) as street:
        places.append(place := street["order"])
        patient = await place.make(a_patient())
        about = {"for": {"reference": f"Patient/{patient['id']}"}}
        lanes += [await place.make(a_task(**about)) for _ in range(2)]
        for moved in range(1, 7):
            answer = await place.ask("POST", "Task/$compare")
            assert answer.status_code == 200, answer.text
            assert [each["valueInteger"] for each in answer.json()["parameter"]] == [moved, moved]
        audited = await place.rows("SELECT outcome FROM audit WHERE resource = 'Task/$compare'")
        assert [row["outcome"] for row in audited] == [200] * 6


async def test_what_is_declared_to_store_nothing_cannot(data_dir: Path) -> None:
    async def careless(call: Call, desk: Desk) -> Changes:
        return Changes(save=[Save(a_task(id=desk.new_id()))])

    service = Service(
        "order", "o", "x", keeps=[Keeps("Task")],
        operations=[Operation("Task", "look", careless, "type", affects_state=False)],
    )  # fmt: skip
    async with opened(data_dir, service) as street:
        assert (await street["order"].ask("POST", "Task/$look")).status_code == 500
        assert await street["order"].found("Task") == []
