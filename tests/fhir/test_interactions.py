"""Every interaction of one resource, and the answers to what cannot be done."""

import json

import pytest

from tests.fhir.place import IMPORT, Place, a_patient, a_request, a_task, an_identifier, where


async def test_a_created_resource_is_read_as_it_was_written(place: Place) -> None:
    body = '{"resourceType": "Observation", "status": "final", "code": {"text": "\\u4f60"}, "valueQuantity": {"value": 1.50}}'
    made = await place.ask("POST", "Observation", body)
    assert made.status_code == 201
    assert made.headers["etag"] == 'W/"1"'
    assert made.headers["location"].endswith(f"/order/fhir/Observation/{made.json()['id']}/_history/1")
    read = await place.ask("GET", f"Observation/{made.json()['id']}")
    assert read.text == made.text
    assert '"value": 1.50' in read.text
    assert '"\\u4f60"' in read.text
    assert read.headers["content-type"].startswith("application/fhir+json")
    assert "last-modified" in read.headers


async def test_versions_stay_readable_and_the_old_one_can_no_longer_be_replaced(place: Place) -> None:
    patient = await place.make(a_patient())
    address = f"Patient/{patient['id']}"
    changed = await place.ask("PUT", address, {**patient, "active": True}, headers={"If-Match": 'W/"1"'})
    assert (changed.status_code, changed.headers["etag"]) == (200, 'W/"2"')
    stale = await place.ask("PUT", address, {**patient, "active": False}, headers={"If-Match": 'W/"1"'})
    assert (stale.status_code, stale.headers["etag"]) == (412, 'W/"2"')
    assert "active" not in (await place.ask("GET", f"{address}/_history/1")).json()
    assert (await place.ask("GET", f"{address}/_history/3")).status_code == 404
    history = (await place.ask("GET", f"{address}/_history")).json()
    assert [entry["response"]["etag"] for entry in history["entry"]] == ['W/"2"', 'W/"1"']


async def test_a_deleted_resource_is_gone_and_begins_anew_with_the_next_version(place: Place) -> None:
    patient = await place.make(a_patient())
    address = f"Patient/{patient['id']}"
    assert (await place.ask("DELETE", address)).status_code == 204
    assert (await place.ask("DELETE", address)).status_code == 204
    assert (await place.ask("GET", address)).status_code == 410
    assert (await place.ask("GET", f"{address}/_history/1")).status_code == 200
    assert not await place.found(f"Patient?_id={patient['id']}")
    for stated in ('W/"1"', 'W/"2"'):
        missed = await place.ask("PUT", address, patient, headers={"If-Match": stated})
        assert missed.status_code == 412, stated
    again = await place.ask("PUT", address, patient)
    assert (again.status_code, again.headers["etag"]) == (201, 'W/"3"')
    assert (await place.ask("GET", address)).status_code == 200


async def test_a_number_comes_back_to_the_resource_that_was_deleted_with_it(place: Place) -> None:
    request = await place.make(a_request("back-1"))
    address = f"ServiceRequest/{request['id']}"
    assert (await place.ask("DELETE", address)).status_code == 204
    other = await place.ask("POST", "ServiceRequest", a_request("back-1"))
    assert other.status_code == 409
    again = await place.ask("PUT", address, request)
    assert again.status_code == 201, again.text


async def test_if_match_on_what_never_was_is_412(place: Place) -> None:
    ghost = a_patient(id="never")
    for method, body in (("PUT", ghost), ("DELETE", None)):
        answer = await place.ask(method, "Patient/never", body, headers={"If-Match": 'W/"1"'}, scopes=IMPORT)
        assert answer.status_code == 412


async def test_a_client_chooses_an_id_only_when_it_imports(place: Place) -> None:
    chosen = a_patient(id="chosen-1")
    assert (await place.ask("PUT", "Patient/chosen-1", chosen)).status_code == 403
    made = await place.ask("PUT", "Patient/chosen-1", chosen, scopes=IMPORT)
    assert (made.status_code, made.json()["id"]) == (201, "chosen-1")
    ours = await place.ask("PUT", "Patient/o-1", a_patient(id="o-1"), scopes=IMPORT)
    assert ours.status_code == 422
    assert (await place.ask("PUT", "Patient/chosen-2", chosen, scopes=IMPORT)).status_code == 400


async def test_a_record_is_deleted_only_as_a_draft_or_an_error(place: Place) -> None:
    report = {"resourceType": "DiagnosticReport", "status": "final", "code": {"text": "x"}}
    made = await place.make(report)
    refused = await place.ask("DELETE", f"DiagnosticReport/{made['id']}")
    assert (refused.status_code, where(refused)) == (409, ["DiagnosticReport.status"])
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"request": {"method": "DELETE", "url": f"DiagnosticReport/{made['id']}"}}],
    }
    assert (await place.ask("POST", "", bundle)).status_code == 409
    await place.ask("PUT", f"DiagnosticReport/{made['id']}", {**made, "status": "entered-in-error"})
    assert (await place.ask("DELETE", f"DiagnosticReport/{made['id']}")).status_code == 204


async def test_a_number_the_service_gives_comes_back_and_cannot_be_altered(place: Place) -> None:
    made = await place.make(a_request("owned-1"))
    given = made["identifier"][1]
    address = f"ServiceRequest/{made['id']}"
    without = await place.ask("PUT", address, {**made, "identifier": made["identifier"][:1]})
    assert given in without.json()["identifier"]
    altered = await place.ask("PUT", address, {**made, "identifier": [{**given, "value": "CT0"}]})
    assert (altered.status_code, where(altered)) == (422, ["ServiceRequest.identifier"])
    brought = await place.ask("POST", "ServiceRequest", a_request(identifier=[an_identifier("ACSN", "CT1")]))
    assert brought.status_code == 422


async def test_a_placer_number_names_one_request_only(place: Place) -> None:
    first = await place.make(a_request("unique-1"))
    second = await place.ask("POST", "ServiceRequest", a_request("unique-1"))
    assert second.status_code == 409
    assert second.headers["location"] == f"http://x/order/fhir/ServiceRequest/{first['id']}"
    third = await place.make(a_request("unique-2"))
    taken = await place.ask("PUT", f"ServiceRequest/{third['id']}", {**third, "identifier": first["identifier"][:1]})
    assert taken.status_code == 409


async def test_an_operation_changes_its_target_and_says_what_is_missing(place: Place) -> None:
    task = await place.make(a_task())
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "text", "valueString": "one"}]}
    done = await place.ask("POST", f"Task/{task['id']}/$count", parameters)
    assert (done.status_code, done.json()["note"]) == (200, [{"text": "one"}])
    assert (await place.ask("GET", f"Task/{task['id']}")).headers["etag"] == 'W/"2"'
    missing = await place.ask("POST", f"Task/{task['id']}/$count")
    assert (missing.status_code, where(missing)) == (400, ["Parameters.parameter.where(name='text')"])
    assert (await place.ask("POST", f"Task/{task['id']}/$nothing")).status_code == 404
    assert (await place.ask("POST", "Task/none/$count", parameters)).status_code == 404


async def test_pages_follow_each_other_without_gap_or_repeat(place: Place) -> None:
    made = {(await place.make(a_patient(name=[{"family": "Paged"}])))["id"] for _ in range(5)}
    address: str | None = "Patient?family=Paged&_count=2&_sort=-_lastUpdated"
    seen: list[str] = []
    while address:
        page = (await place.ask("GET", address)).json()
        seen += [entry["resource"]["id"] for entry in page["entry"]]
        following = [link["url"] for link in page["link"] if link["relation"] == "next"]
        assert not following or "Paged" not in following[0]
        address = following[0].partition("/fhir/")[2] if following else None
    assert (len(seen), set(seen)) == (5, made)
    only_total = (await place.ask("GET", "Patient?family=Paged&_count=0")).json()
    assert (only_total["total"], "entry" in only_total) == (5, False)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    posted = await place.ask("POST", "Patient/_search", "family=Paged", headers=form)
    assert posted.json()["total"] == 5


async def test_head_trailing_slash_and_metadata_answer(place: Place) -> None:
    patient = await place.make(a_patient())
    head = await place.ask("HEAD", f"Patient/{patient['id']}")
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", 'W/"1"')
    assert (await place.ask("GET", f"Patient/{patient['id']}/")).status_code == 200
    statement = (await place.client.get("/order/fhir/metadata", headers={"Authorization": ""})).json()
    stated = statement["rest"][0]["resource"]
    kept = {resource["type"] for resource in stated if resource["versioning"] != "no-version"}
    assert kept == {
        "Patient", "ServiceRequest", "Task", "Observation", "DiagnosticReport", "DetectedIssue", "Subscription",
    }  # fmt: skip
    from slipring.fhir.checks.shape import check

    assert [issue.at for issue in check(statement)] == []


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "Patient", {"Accept": "application/fhir+xml"}, 406),
        ("GET", "Patient?_format=xml", {}, 406),
        ("POST", "Patient", {"Content-Type": "application/fhir+xml"}, 415),
        ("POST", "Patient/_search", {}, 415),
        ("POST", "_search", {}, 400),
        ("PATCH", "Patient/1", {}, 415),
        ("DELETE", "Patient", {}, 400),
        ("PUT", "Patient", {}, 400),
        ("GET", "Patient/1/$count", {}, 404),
        ("GET", "Task/1/$count", {}, 405),
        ("GET", "Basic/1", {}, 404),
        ("GET", "Patient/%00", {}, 404),
        ("GET", "Patient/" + "9" * 65, {}, 404),
        ("GET", "Patient/1%00/_history", {}, 404),
        ("GET", "Patient/x/_history/%31%00", {}, 404),
        ("POST", "Task/%00/$count", {}, 404),
        ("DELETE", "Patient/%00", {}, 404),
        ("GET", "%00", {}, 404),
        ("GET", "Patient?name=%00", {}, 400),
        ("GET", "Patient?_id=%00", {}, 400),
        ("GET", "Patient?name=%ff", {}, 400),
        ("GET", "Patient?_count=-1", {}, 400),
        ("GET", "Patient?_cursor=nonsense", {}, 400),
        ("GET", "Patient/_history?_since=0001-01-01T00:00:00%2B14:00", {}, 400),
        ("GET", "Patient/_history?_since=yesterday", {}, 400),
        ("GET", "Patient/_history?_before=9", {}, 400),
    ],
)
async def test_odd_requests_get_a_fitting_answer(
    place: Place, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    answer = await place.ask(
        method, path, json.dumps(a_patient()) if method in ("POST", "PUT") else None, headers=headers
    )
    assert answer.status_code == status, answer.text
    assert answer.json()["resourceType"] in ("OperationOutcome", "Bundle")


async def test_a_conditional_reference_outside_a_transaction_is_refused_at_its_element(place: Place) -> None:
    body = a_request(subject={"reference": "Patient?identifier=urn:his|1"})
    answer = await place.ask("POST", "ServiceRequest", body)
    assert (answer.status_code, where(answer)) == (400, ["ServiceRequest.subject.reference"])


@pytest.mark.parametrize(
    ("scopes", "method", "path"),
    [
        ("system/Patient.r", "POST", "Patient"),
        ("system/Patient.c", "GET", "Patient/1"),
        ("system/Patient.r", "GET", "Patient"),
        ("system/Task.cruds", "GET", "Patient/1"),
        ("system/Patient.cruds", "GET", "_history"),
        ("system/Patient.cru", "DELETE", "Patient/1"),
    ],
)
async def test_what_the_token_does_not_grant_is_403(place: Place, scopes: str, method: str, path: str) -> None:
    answer = await place.ask(method, path, a_patient() if method == "POST" else None, scopes=scopes)
    assert answer.status_code == 403


async def test_without_a_token_nothing_is_answered(place: Place) -> None:
    assert (await place.client.get("/order/fhir/Patient", headers={"Authorization": ""})).status_code == 401
