"""Transactions with every verb: what they mean together, what they see of themselves, and that they are all or nothing."""

import asyncio
import base64
import json
from collections import Counter
from typing import Any

import pytest

from tests.fhir.place import Place, Resource, a_bundle, a_patient, a_request, a_task, where

PREFER = {"Prefer": "return=representation"}


def a_patch(*operations: Any, kind: str = "application/json-patch+json") -> Resource:
    data = base64.b64encode(json.dumps(list(operations)).encode()).decode()
    return {"resourceType": "Binary", "contentType": kind, "data": data}


def named(bundle: Resource, *full_urls: str | None) -> Resource:
    for entry, full_url in zip(bundle["entry"], full_urls, strict=True):
        if full_url:
            entry["fullUrl"] = full_url
    return bundle


def statuses(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [entry["response"]["status"][:3] for entry in answer.json()["entry"]]


async def test_every_verb_in_one_transaction_each_answered_in_its_place(place: Place) -> None:
    tag = {"system": "urn:tx", "value": "verbs"}
    changed, gone, patched = [await place.make(a_task()) for _ in range(3)]
    bundle = a_bundle(
        "transaction",
        ("GET", "Task?identifier=urn:tx|verbs", None),
        ("HEAD", f"Task/{changed['id']}", None),
        ("PATCH", f"Task/{patched['id']}", a_patch({"op": "replace", "path": "/status", "value": "completed"})),
        ("PUT", f"Task/{changed['id']}", {**changed, "identifier": [tag]}),
        ("POST", "Task", a_task(identifier=[tag])),
        ("DELETE", f"Task/{gone['id']}", None),
        ("PUT", "Patient?identifier=urn:tx|new", a_patient(identifier=[{**tag, "value": "new"}])),
        ("GET", f"Task/{patched['id']}", None),
        ("DELETE", "Patient?identifier=urn:tx|nobody", None),
    )
    answer = await place.ask("POST", "", bundle, headers=PREFER)
    assert statuses(answer) == ["200", "200", "200", "200", "201", "204", "201", "200", "204"]
    entries = answer.json()["entry"]
    found = {entry["resource"]["id"] for entry in entries[0]["resource"]["entry"]}
    assert found == {changed["id"], entries[4]["resource"]["id"]}, "a search sees what the transaction wrote"
    assert "resource" not in entries[1]
    assert entries[7]["resource"]["status"] == "completed"
    assert entries[7]["response"]["etag"] == 'W/"2"'
    audited = await place.rows("SELECT interaction FROM audit WHERE resource LIKE $1", f"Task/{patched['id']}%")
    assert "read" in {row["interaction"] for row in audited}


BROKEN = {
    "POST": ("POST", "Task", a_task(status="nonsense")),
    "taken": ("POST", "ServiceRequest", a_request("tx-atomic")),
    "PUT": ("PUT", "Task/o-unknown", a_task(id="o-unknown")),
    "PATCH": ("PATCH", "Task?identifier=urn:tx|none", a_patch()),
    "DELETE": ("DELETE", "Task/none", None),
    "GET": ("GET", "Task/none", None),
    "search": ("GET", "Task?nonsense=1", None),
    "reference": ("POST", "Task", a_task(focus={"reference": "Task?identifier=urn:tx|none"})),
    "handler": ("POST", "ServiceRequest", a_request(note=[{"text": "bug"}])),
}


@pytest.mark.parametrize("broken", BROKEN)
async def test_a_failure_at_any_entry_leaves_nothing(place: Place, broken: str) -> None:
    if broken == "taken":
        await place.ask(
            "POST", "ServiceRequest", a_request("tx-atomic"), headers={"If-None-Exist": "identifier=tx-atomic"}
        )
    standing = await place.make(a_task())
    whole: list[tuple[str, str, Resource | None]] = [
        ("POST", "Patient", a_patient()),
        ("PUT", f"Task/{standing['id']}", {**standing, "status": "completed"}),
        ("POST", "ServiceRequest", a_request()),
        ("GET", "Task?_count=1", None),
    ]
    for position in range(len(whole) + 1):
        entries = [*whole[:position], BROKEN[broken], *whole[position:]]
        before = await place.everything()
        answer = await place.ask("POST", "", a_bundle("transaction", *entries))
        assert answer.status_code >= 400, answer.text
        if broken not in ("handler", "taken"):
            assert where(answer)[0].startswith(f"Bundle.entry[{position}]"), answer.text
        assert await place.everything() == before, position
    assert (await place.ask("GET", f"Task/{standing['id']}")).headers["etag"] == 'W/"1"'


async def test_a_conditional_reference_finds_what_the_transaction_itself_creates(place: Place) -> None:
    new = a_patient(identifier=[{"system": "urn:tx", "value": "inside"}])
    pointing = a_task(**{"for": {"reference": "Patient?identifier=urn:tx|inside"}})
    bundle = a_bundle("transaction", ("POST", "Task", pointing), ("POST", "Patient", new))
    answer = await place.ask("POST", "", bundle, headers=PREFER)
    task, patient = (entry["resource"] for entry in answer.json()["entry"])
    assert task["for"]["reference"] == f"Patient/{patient['id']}"
    again = await place.ask("POST", "", bundle)
    assert (again.status_code, where(again)) == (412, ["Bundle.entry[0].resource.for.reference"])
    dropping = a_bundle("transaction", ("POST", "Task", pointing), ("DELETE", f"Patient/{patient['id']}", None))
    assert (await place.ask("POST", "", dropping)).status_code == 412


async def test_literals_are_replaced_where_r4_says_and_nowhere_else(place: Place) -> None:
    uuid, oid = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "urn:oid:1.2.3.4"
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><a href="{uuid}">x</a> {uuid} <img src="{oid}" alt=""/></div>'
    body = a_task(
        text={"status": "generated", "div": div},
        identifier=[{"system": "urn:ietf:rfc:3986", "value": uuid}],
        description=uuid,
        focus={"reference": oid},
        basedOn=[{"reference": f"{uuid}/_history/1"}],
        instantiatesCanonical=uuid,
        input=[{"type": {"text": "a"}, "valueAttachment": {"url": uuid}}, {"type": {"text": "b"}, "valueUri": oid}],
    )
    bundle = named(
        a_bundle("transaction", ("POST", "Task", body), ("POST", "Patient", a_patient()), ("POST", "Task", a_task())),
        None, uuid, oid,
    )  # fmt: skip
    answer = await place.ask("POST", "", bundle, headers=PREFER)
    task, patient, other = (entry["resource"] for entry in answer.json()["entry"])
    at, at_other = f"Patient/{patient['id']}", f"Task/{other['id']}"
    assert f'href="{at}"' in task["text"]["div"]
    assert f'src="{at_other}"' in task["text"]["div"]
    assert f"</a> {uuid} <img" in task["text"]["div"]
    assert (task["focus"]["reference"], task["basedOn"][0]["reference"]) == (at_other, f"{at}/_history/1")
    assert (task["input"][0]["valueAttachment"]["url"], task["input"][1]["valueUri"]) == (at, at_other)
    assert (task["identifier"][0]["value"], task["description"], task["instantiatesCanonical"]) == (uuid, uuid, uuid)
    assert (await place.ask("GET", f"Task/{task['id']}")).json() == task


@pytest.mark.parametrize(
    ("entry", "full_url", "at", "status"),
    [
        (("POST", "Task", a_task()), "Task/1", "fullUrl", 400),
        (("PUT", "Task/x-1", a_task(id="x-1")), "http://his.example/fhir/Task/2", "fullUrl", 400),
        (("PATCH", "Task/1", {"resourceType": "Parameters"}), None, "resource", 422),
        (("PATCH", "Task/1", a_patch(kind="text/plain")), None, "resource.contentType", 400),
        (("PATCH", "Task/1", {**a_patch(), "data": "?"}), None, "resource.data", 400),
        (("PATCH", "Task/1", a_patch({"op": "add"})), None, "resource", 400),
        (("GET", "", None), None, "request.url", 400),
        (("GET", "http://elsewhere.example/Task", None), None, "request.url", 400),
        (("POST", "Task?x=1", a_task()), None, "request.url", 400),
        (("DELETE", "Task?nonsense=1", None), None, "request.url", 400),
        (("DELETE", "Task/1/_history/1", None), None, "request.url", 400),
        (("GET", "Task/1", a_task()), None, "resource", 400),
    ],
)
async def test_an_entry_that_can_mean_nothing_is_named(
    place: Place, entry: Any, full_url: str | None, at: str, status: int
) -> None:
    bundle = named(a_bundle("transaction", ("POST", "Patient", a_patient()), entry), None, full_url)
    answer = await place.ask("POST", "", bundle)
    assert answer.status_code == status, answer.text
    assert any(one.startswith(f"Bundle.entry[1].{at}") for one in where(answer)), where(answer)


async def test_identities_found_by_conditions_must_not_meet(place: Place) -> None:
    tag = [{"system": "urn:tx", "value": "meet"}]
    task = await place.make(a_task(identifier=tag))
    for other in (
        ("DELETE", f"Task/{task['id']}", None),
        ("PATCH", "Task?identifier=urn:tx|meet&status=requested", a_patch()),
        ("PUT", f"Task/{task['id']}", task),
    ):
        bundle = a_bundle("transaction", ("PUT", "Task?identifier=urn:tx|meet", a_task(identifier=tag)), other)
        answer = await place.ask("POST", "", bundle)
        assert (answer.status_code, where(answer)) == (400, ["Bundle.entry[1].request.url"]), answer.text


async def test_conditions_of_an_entry_hold_for_it(place: Place) -> None:
    task = await place.make(a_task())
    address = f"Task/{task['id']}"

    async def answered(method: str, resource: Resource | None, **conditions: str) -> int:
        bundle = a_bundle("transaction", (method, address, resource))
        bundle["entry"][0]["request"] |= conditions
        answer = await place.ask("POST", "", bundle)
        return answer.status_code if answer.status_code != 200 else int(statuses(answer)[0])

    assert await answered("GET", None, ifNoneMatch='W/"1"') == 304
    assert await answered("PUT", task, ifNoneMatch="*") == 412
    assert await answered("PATCH", a_patch(), ifMatch='W/"7"') == 412
    assert await answered("DELETE", None, ifMatch='W/"7"') == 412
    assert await answered("PATCH", a_patch(), ifMatch='W/"1"') == 200
    assert await answered("DELETE", None, ifMatch='W/"2"') == 204


async def test_sixty_four_transactions_with_one_conditional_update_make_one(place: Place) -> None:
    body = a_patient(identifier=[{"system": "urn:tx", "value": "many"}])
    bundle = a_bundle(
        "transaction", ("PUT", "Patient?identifier=urn:tx|many", body), ("GET", "Patient?identifier=urn:tx|many", None)
    )
    answers = await asyncio.gather(*(place.ask("POST", "", bundle) for _ in range(64)))
    assert Counter(statuses(answer)[0] for answer in answers) == {"200": 63, "201": 1}
    assert {answer.json()["entry"][1]["resource"]["total"] for answer in answers} == {1}
    assert len(await place.found("Patient?identifier=urn:tx|many")) == 1


async def test_a_batch_takes_every_verb_and_operations(place: Place) -> None:
    task = await place.make(a_task())
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "text", "valueString": "one"}]}
    bundle = a_bundle(
        "batch",
        ("PATCH", f"Task/{task['id']}", a_patch({"op": "replace", "path": "/status", "value": "completed"})),
        ("POST", f"Task/{task['id']}/$count", parameters),
        ("HEAD", f"Task/{task['id']}", None),
        ("GET", f"http://x/order/fhir/Task?_id={task['id']}", None),
        ("PUT", "Task?identifier=urn:b|1", a_task(identifier=[{"system": "urn:b", "value": "1"}])),
        ("PATCH", f"Task/{task['id']}", {"resourceType": "Parameters"}),
        ("GET", "http://elsewhere.example/Task/1", None),
        ("DELETE", "Task?identifier=urn:b|1", None),
    )
    answer = await place.ask("POST", "", bundle)
    assert statuses(answer) == ["200", "200", "200", "200", "201", "422", "400", "204"]
    entries = answer.json()["entry"]
    assert entries[1]["resource"]["note"] == [{"text": "one"}]
    assert "resource" not in entries[2]
    assert entries[3]["resource"]["total"] == 1
