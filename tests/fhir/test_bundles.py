"""Transactions are all or nothing with their references resolved; batches leave each entry to itself."""

import pytest
from slipring.fhir.checks.shape import check

from tests.fhir.place import Place, Resource, a_bundle, a_patient, a_request, a_task, where

FOREIGN = {"resourceType": "Encounter", "status": "planned", "class": {"code": "AMB"}}


def observed(subject: str) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "subject": {"reference": subject},
        "note": [{"text": f'the words "reference":"{subject}" stay'}],
    }


async def test_references_between_entries_are_resolved_also_in_a_circle(place: Place) -> None:
    first = a_task(focus={"reference": "urn:uuid:b"}, **{"for": {"reference": "urn:uuid:p"}})
    second = a_task(focus={"reference": "urn:uuid:a"})
    bundle = a_bundle(
        "transaction", ("POST", "Task", first), ("POST", "Task", second), ("POST", "Patient", a_patient())
    )
    for entry, name in zip(bundle["entry"], "abp", strict=True):
        entry["fullUrl"] = f"urn:uuid:{name}"
    answer = await place.ask("POST", "", bundle, headers={"Prefer": "return=representation"})
    assert answer.status_code == 200, answer.text
    a, b, p = (entry["resource"] for entry in answer.json()["entry"])
    assert a["focus"]["reference"] == f"Task/{b['id']}"
    assert b["focus"]["reference"] == f"Task/{a['id']}"
    assert a["for"]["reference"] == f"Patient/{p['id']}"
    assert [task["id"] for task in await place.found(f"Task?focus=Task/{a['id']}")] == [b["id"]]
    assert [issue.at for issue in check(answer.json())] == []


async def test_only_references_are_rewritten_never_words(place: Place) -> None:
    bundle = a_bundle("transaction", ("POST", "Patient", a_patient()), ("POST", "Observation", observed("urn:uuid:p")))
    bundle["entry"][0]["fullUrl"] = "urn:uuid:p"
    answer = await place.ask("POST", "", bundle, headers={"Prefer": "return=representation"})
    patient, observation = (entry["resource"] for entry in answer.json()["entry"])
    assert observation["subject"]["reference"] == f"Patient/{patient['id']}"
    assert observation["note"][0]["text"] == 'the words "reference":"urn:uuid:p" stay'


async def test_a_relative_reference_to_a_new_entry_follows_its_full_url(place: Place) -> None:
    bundle = a_bundle("transaction", ("POST", "Patient", a_patient()), ("POST", "Observation", observed("Patient/77")))
    bundle["entry"][0]["fullUrl"] = "http://his.example/fhir/Patient/77"
    answer = await place.ask("POST", "", bundle, headers={"Prefer": "return=representation"})
    patient, observation = (entry["resource"] for entry in answer.json()["entry"])
    assert observation["subject"]["reference"] == f"Patient/{patient['id']}"


async def test_a_conditional_reference_needs_exactly_one_match(place: Place) -> None:
    one = await place.make(a_patient(identifier=[{"system": "urn:c", "value": "1"}]))
    for _ in range(2):
        await place.make(a_patient(identifier=[{"system": "urn:c", "value": "2"}]))

    async def refer(condition: str) -> tuple[int, object]:
        bundle = a_bundle("transaction", ("POST", "Observation", observed(condition)))
        answer = await place.ask("POST", "", bundle, headers={"Prefer": "return=representation"})
        ok = answer.status_code == 200
        return answer.status_code, answer.json()["entry"][0]["resource"]["subject"] if ok else where(answer)

    at = ["Bundle.entry[0].resource.subject.reference"]
    assert await refer("Patient?identifier=urn:c|1") == (200, {"reference": f"Patient/{one['id']}"})
    assert await refer("Patient?identifier=urn:c|2") == (412, at)
    assert await refer("Patient?identifier=urn:c|3") == (412, at)
    assert await refer("Patient?nonsense=3") == (400, at)
    assert await refer("Patient?_count=1") == (400, at)
    assert await refer("urn:uuid:nobody") == (400, at)


@pytest.mark.parametrize("broken", range(4))
async def test_a_transaction_that_fails_at_one_entry_stores_nothing(place: Place, broken: int) -> None:
    standing = await place.make(a_task())
    entries: list[tuple[str, str, Resource | None]] = [
        ("POST", "Patient", a_patient()),
        ("POST", "ServiceRequest", a_request(f"atomic-{broken}")),
        ("PUT", f"Task/{standing['id']}", {**standing, "status": "completed"}),
        ("POST", "Observation", observed("Patient/1")),
    ]
    bad: list[tuple[str, str, Resource | None]] = [
        ("POST", "Patient", a_patient(gender="x")),
        ("POST", "ServiceRequest", a_request(note=[{"text": "no"}])),
        ("PUT", f"Task/{standing['id']}", {**standing, "id": "other"}),
        ("POST", "Observation", observed("Patient?identifier=none|none")),
    ]
    entries[broken] = bad[broken]
    before = await place.everything()
    answer = await place.ask("POST", "", a_bundle("transaction", *entries))
    assert answer.status_code in (400, 412, 422)
    assert all(at.startswith(f"Bundle.entry[{broken}]") for at in where(answer)), where(answer)
    after = await place.everything()
    kept_on_record = 1 if broken == 1 else 0
    assert after["resource"] == before["resource"] + kept_on_record
    assert after["business_key"] == before["business_key"]
    assert (await place.ask("GET", f"Task/{standing['id']}")).json()["status"] == "requested"


async def test_a_taken_number_undoes_the_whole_transaction(place: Place) -> None:
    await place.make(a_request("tx-taken"))
    before = await place.everything()
    bundle = a_bundle(
        "transaction", ("POST", "Patient", a_patient()), ("POST", "ServiceRequest", a_request("tx-taken"))
    )
    answer = await place.ask("POST", "", bundle)
    assert (answer.status_code, "location" in answer.headers) == (409, True)
    assert await place.everything() == before
    twice = a_bundle("transaction", *[("POST", "ServiceRequest", a_request("tx-twice"))] * 2)
    assert (await place.ask("POST", "", twice)).status_code == 409


async def test_what_a_transaction_cannot_mean_is_refused(place: Place) -> None:
    patient = await place.make(a_patient())
    address = f"Patient/{patient['id']}"
    stale = a_bundle("transaction", ("PUT", address, patient))
    stale["entry"][0]["request"]["ifMatch"] = 'W/"9"'
    conditional = a_bundle("transaction", ("POST", "Patient", a_patient()), ("POST", "Patient", a_patient()))
    for entry in conditional["entry"]:
        entry["request"]["ifNoneExist"] = "identifier=urn:x|1"
    wrong = {
        "twice": (a_bundle("transaction", ("PUT", address, patient), ("DELETE", address, None)), 400),
        "an old version": (stale, 412),
        "the same condition": (conditional, 400),
        "a foreign type": (a_bundle("transaction", ("POST", "Encounter", FOREIGN)), 404),
        "no resource": (a_bundle("transaction", ("POST", "Patient", None)), 400),
        "another type": (a_bundle("transaction", ("POST", "Task", a_patient())), 400),
        "an update of nothing": (a_bundle("transaction", ("PUT", "Patient", a_patient())), 400),
        "an operation": (a_bundle("transaction", ("POST", "Task/1/$count", {"resourceType": "Parameters"})), 422),
        "a version": (a_bundle("transaction", ("PUT", f"{address}/_history/1", patient)), 400),
        "PATCH": (a_bundle("transaction", ("PATCH", address, patient)), 400),
    }
    for name, (bundle, status) in wrong.items():
        assert (await place.ask("POST", "", bundle)).status_code == status, name
    assert (await place.ask("GET", address)).headers["etag"] == 'W/"1"'


async def test_a_conditional_create_in_a_transaction_names_what_stands(place: Place) -> None:
    standing = await place.make(a_request("tx-once"))
    bundle = a_bundle("transaction", ("POST", "ServiceRequest", a_request("tx-once")), ("POST", "Task", a_task()))
    bundle["entry"][0] |= {"fullUrl": "urn:uuid:r"}
    bundle["entry"][0]["request"]["ifNoneExist"] = "identifier=urn:his|tx-once"
    bundle["entry"][1]["resource"]["focus"] = {"reference": "urn:uuid:r"}
    answer = (await place.ask("POST", "", bundle, headers={"Prefer": "return=representation"})).json()
    assert answer["entry"][0]["response"]["status"] == "200 OK"
    assert answer["entry"][1]["resource"]["focus"]["reference"] == f"ServiceRequest/{standing['id']}"


async def test_a_batch_answers_every_entry_by_itself(place: Place) -> None:
    patient = await place.make(a_patient())
    bundle = a_bundle(
        "batch",
        ("POST", "Patient", a_patient()),
        ("POST", "Patient", a_patient(gender="x")),
        ("GET", f"Patient/{patient['id']}", None),
        ("GET", "Patient/none", None),
        ("POST", "", a_bundle("batch")),
        ("POST", "ServiceRequest", a_request(note=[{"text": "bug"}])),
        ("DELETE", f"Patient/{patient['id']}", None),
    )
    bundle["entry"][4]["request"]["url"] = "/"
    answer = (await place.ask("POST", "", bundle)).json()
    statuses = [entry["response"]["status"][:3] for entry in answer["entry"]]
    assert statuses == ["201", "400", "200", "404", "400", "500", "204"]
    assert answer["entry"][1]["response"]["outcome"]["issue"][0]["expression"] == ["Patient.gender"]
    assert answer["entry"][2]["resource"]["id"] == patient["id"]
    assert "location" in answer["entry"][0]["response"]
    assert [issue.at for issue in check(answer)] == []
