"""One commit per request: what it writes, and that a refusal writes nothing."""

import pytest

from tests.fhir.place import Place, a_patient, a_request, a_task, where


async def test_every_version_and_every_read_leaves_an_audit_row(place: Place) -> None:
    patient = await place.make(a_patient())
    reference = f"Patient/{patient['id']}"
    await place.ask("PUT", reference, {**patient, "active": True})
    await place.ask("GET", reference)
    await place.ask("GET", f"{reference}/_history/1")
    await place.ask("GET", f"{reference}/_history")
    await place.ask("GET", f"Patient?_id={patient['id']}&name=x")
    await place.ask("DELETE", reference)
    rows = await place.rows("SELECT * FROM audit WHERE resource LIKE $1 || '%' ORDER BY id", reference)
    assert [row["interaction"] for row in rows] == ["create", "update", "read", "vread", "history", "delete"]
    assert all(row["client"] == "his" and len(row["content_sha256"]) == 64 for row in rows)
    assert [bool(row["body_sha256"]) for row in rows] == [True, True, False, False, False, False]
    assert rows[4]["disclosed"] == [f"{reference}/_history/2", f"{reference}/_history/1"]
    searched = (await place.rows("SELECT * FROM audit WHERE interaction = 'search' ORDER BY id DESC LIMIT 1"))[0]
    assert searched["parameters"] == ["_id", "name"]


async def test_a_search_lists_whom_it_disclosed(place: Place) -> None:
    patient = await place.make(a_patient(name=[{"family": "Disclosed"}]))
    await place.found("Patient?family=Disclosed")
    row = (await place.rows("SELECT * FROM audit WHERE interaction = 'search' ORDER BY id DESC LIMIT 1"))[0]
    assert row["disclosed"] == [f"Patient/{patient['id']}"]


async def test_a_refusal_keeps_what_its_handler_wants_on_record_and_nothing_else(place: Place) -> None:
    before = await place.everything()
    refused = await place.ask("POST", "ServiceRequest", a_request("refused-1", note=[{"text": "no"}]))
    assert (refused.status_code, where(refused)) == (422, ["ServiceRequest.note[0]"])
    after = await place.everything()
    assert after["resource"] == before["resource"] + 1
    assert after["business_key"] == before["business_key"]
    audit = (await place.rows("SELECT * FROM audit ORDER BY id DESC LIMIT 1"))[0]
    assert (audit["interaction"], audit["outcome"], audit["resource"][:14]) == ("refused", 422, "DetectedIssue/")
    assert (await place.ask("POST", "ServiceRequest", a_request("refused-1"))).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "Patient", {"resourceType": "Patient", "gender": "x"}, 400),
        ("POST", "Patient", {"resourceType": "Task"}, 400),
        ("POST", "Patient", "{", 400),
        ("POST", "Patient", "", 400),
        ("POST", "Patient", '{"resourceType":"Patient","active":true,"active":false}', 400),
        ("PUT", "Patient/nobody", a_patient(id="nobody"), 403),
        ("POST", "ServiceRequest", a_request(note=[{"text": "bug"}]), 500),
        ("POST", "Task/none/$count", {"resourceType": "Parameters"}, 404),
        ("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": [1]}, 400),
        ("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": None}, 400),
        ("POST", "", {"resourceType": "Bundle", "type": "searchset"}, 400),
    ],
)
async def test_nothing_is_stored_when_a_request_is_refused(
    place: Place, method: str, path: str, body: object, status: int
) -> None:
    before = await place.everything()
    answer = await place.ask(method, path, body)
    assert answer.status_code == status, answer.text
    assert await place.everything() == before


async def test_search_rows_follow_the_current_version_only(place: Place) -> None:
    task = await place.make(a_task("requested"))
    await place.ask("PUT", f"Task/{task['id']}", {**task, "status": "completed"})
    assert not await place.found(f"Task?_id={task['id']}&status=requested")
    assert len(await place.found(f"Task?_id={task['id']}&status=completed")) == 1
