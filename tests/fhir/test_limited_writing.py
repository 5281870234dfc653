"""What a token limited by search parameters, or to one patient, does not let one change; and a patient's own token."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fhir.limited import HIDDEN, LAB, LIMITED, OPEN, PATCH, an_observation, ids, one_patient, ward
from tests.fhir.place import Place, Resource, a_bundle, a_patient, a_request, a_task, opened


@pytest.fixture(scope="module")
async def place(data_dir: Path) -> AsyncIterator[Place]:
    async with opened(data_dir, ward(), pool_size=8) as street:
        yield street["order"]


@pytest.fixture(scope="module")
async def held(place: Place) -> dict[str, Resource]:
    return await one_patient(place)


async def test_nothing_is_written_into_or_out_of_the_limits(place: Place, held: dict[str, Resource]) -> None:
    assert (await place.ask("POST", "Observation", an_observation(HIDDEN), scopes=LIMITED)).status_code == 403
    one = (await place.ask("POST", "Observation", an_observation(OPEN), scopes=LIMITED)).json()
    address, out = f"Observation/{one['id']}", {**one, "category": an_observation(HIDDEN)["category"]}
    assert (await place.ask("PUT", address, out, scopes=LIMITED)).status_code == 403
    steps = [{"op": "remove", "path": "/category"}]
    assert (await place.ask("PATCH", address, steps, scopes=LIMITED, headers=PATCH)).status_code == 403
    patch = {"resourceType": "Binary", "contentType": PATCH["Content-Type"]}
    patch["data"] = base64.b64encode(json.dumps(steps).encode()).decode()
    for entry in (("PUT", address, out), ("PATCH", address, patch), ("POST", "Observation", an_observation(HIDDEN))):
        for kind in ("batch", "transaction"):
            answer = await place.ask("POST", "", a_bundle(kind, entry), scopes=LIMITED)
            assert "403" in [
                str(answer.status_code),
                *(e["response"]["status"] for e in answer.json().get("entry", [])),
            ]
    assert (await place.ask("GET", address)).json()["meta"]["versionId"] == "1"
    assert (await place.ask("DELETE", address, scopes=LIMITED)).status_code == 204
    assert (await place.ask("GET", f"Observation/{held['secret']['id']}")).json()["meta"]["versionId"] == "1"


async def test_who_sees_and_may_not_change_is_told_so(place: Place, held: dict[str, Resource]) -> None:
    scopes = f"system/Observation.rs system/Observation.ud?category={LAB}"
    address = f"Observation/{held['secret']['id']}"
    assert (await place.ask("GET", address, scopes=scopes)).status_code == 200
    for method, body, headers in (("PUT", held["secret"], {}), ("PATCH", [], PATCH), ("DELETE", None, {})):
        assert (await place.ask(method, address, body, scopes=scopes, headers=headers)).status_code == 403


async def test_a_condition_is_judged_among_what_is_seen(place: Place, held: dict[str, Resource]) -> None:
    secret = held["secret"]["id"]
    made = await place.ask(
        "POST", "Observation", an_observation(OPEN), scopes=LIMITED, headers={"If-None-Exist": "value-string=secret"}
    )
    assert made.status_code == 201 and secret not in made.headers["location"]
    for method, body, headers in (
        ("PUT", an_observation(OPEN), {}),
        ("PATCH", [{"op": "add", "path": "/note", "value": []}], PATCH),
        ("DELETE", None, {}),
    ):
        answer = await place.ask(method, "Observation?identifier=s", body, scopes=LIMITED, headers=headers)
        assert answer.status_code in (201, 204, 404)
    assert (await place.ask("GET", f"Observation/{secret}")).json()["meta"]["versionId"] == "1"
    assert len(await place.found("Observation?identifier=s")) == 1
    referring = a_task(focus={"reference": "Observation?value-string=secret"})
    answer = await place.ask(
        "POST", "", a_bundle("transaction", ("POST", "Task", referring)), scopes=f"{LIMITED} system/Task.c"
    )
    assert answer.status_code == 412 and secret not in answer.text
    assert "not-found" in answer.text


async def test_who_only_writes_may_condition_on_an_identifier_and_on_nothing_else(place: Place) -> None:
    await place.make(a_request(identifier=[{"system": "urn:a", "value": "n1"}], note=[{"text": "x"}]))
    for criteria, status in (("identifier=urn:a|n1", 200), ("identifier=urn:a|", 403), ("status=active", 403)):
        answer = await place.ask(
            "POST", "ServiceRequest", a_request(), scopes="system/ServiceRequest.c", headers={"If-None-Exist": criteria}
        )
        assert answer.status_code == status, criteria


async def test_a_taken_identifier_does_not_say_by_whom(place: Place) -> None:
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "FILL"}]}
    taken = {"identifier": [{"type": kind, "system": "urn:f", "value": "f1"}]}
    holder = await place.make(an_observation(HIDDEN, **taken))
    answer = await place.ask("POST", "Observation", an_observation(OPEN, **taken), scopes=LIMITED)
    assert answer.status_code == 409
    assert holder["id"] not in answer.text and "location" not in answer.headers
    assert holder["id"] in (await place.ask("POST", "Observation", an_observation(OPEN, **taken))).headers["location"]


async def test_a_referrer_that_is_hidden_is_not_named(place: Place) -> None:
    one = await place.make(an_observation(OPEN))
    other = await place.make(an_observation(HIDDEN, derivedFrom=[{"reference": f"Observation/{one['id']}"}]))
    refused = await place.ask("DELETE", f"Observation/{one['id']}", scopes=LIMITED)
    assert refused.status_code == 409 and other["id"] not in refused.text
    assert other["id"] in (await place.ask("DELETE", f"Observation/{one['id']}")).text


async def test_a_change_is_not_a_read(place: Place, held: dict[str, Resource]) -> None:
    one = await place.make(an_observation(OPEN, valueString="unread"))
    answer = await place.ask("PATCH", f"Observation/{one['id']}", [], scopes="system/Observation.u", headers=PATCH)
    assert answer.status_code == 200 and "unread" not in answer.text


@pytest.fixture(scope="module")
async def two(place: Place) -> dict[str, Resource]:
    """Two patients with a request, an observation and a task each."""
    made = {}
    for name in ("mine", "other"):
        patient = await place.make(a_patient())
        about = {"reference": f"Patient/{patient['id']}"}
        request = await place.make(a_request(subject=about))
        observation = await place.make(an_observation(OPEN, subject=about, valueString=name))
        task = await place.make(a_task(**{"for": about}))
        made |= {name: patient, f"{name} request": request, f"{name} seen": observation, f"{name} task": task}
    made["doctor"] = await place.make({"resourceType": "Practitioner"})
    return made


def patient_scopes(two: dict[str, Resource]) -> str:
    return f"patient/*.cruds patient={two['mine']['id']}"


async def test_a_patients_token_reaches_his_compartment_and_no_other(place: Place, two: dict[str, Resource]) -> None:
    scopes, mine, other = patient_scopes(two), two["mine"]["id"], two["other"]["id"]
    for name in ("", " request", " seen"):
        kind = two[f"mine{name}"]["resourceType"]
        for whose, status in (("mine", 200), ("other", 404)):
            one = two[f"{whose}{name}"]["id"]
            for path in (f"{kind}/{one}", f"{kind}/{one}/_history/1", f"{kind}/{one}/_history"):
                assert (await place.ask("GET", path, scopes=scopes)).status_code == status, path
        assert ids(await place.ask("GET", kind, scopes=scopes)) == {two[f"mine{name}"]["id"]}
    assert (await place.ask("GET", f"Patient/{other}/$everything", scopes=scopes)).status_code == 404
    everything = ids(await place.ask("GET", f"Patient/{mine}/$everything", scopes=scopes))
    assert {mine, two["mine seen"]["id"]} <= everything and two["other seen"]["id"] not in everything
    # Outside of every compartment a patient's token reaches nothing.
    assert (await place.ask("GET", f"Practitioner/{two['doctor']['id']}", scopes=scopes)).status_code == 404
    assert not ids(await place.ask("GET", "Practitioner", scopes=scopes))
    told = await place.ask("GET", "_history?_count=1000", scopes=scopes)
    assert two["mine seen"]["id"] in told.text and two["other seen"]["id"] not in told.text


async def test_a_patients_token_moves_nothing_between_patients(place: Place, two: dict[str, Resource]) -> None:
    scopes, other = patient_scopes(two), {"subject": {"reference": f"Patient/{two['other']['id']}"}}
    assert (await place.ask("POST", "Observation", an_observation(OPEN, **other), scopes=scopes)).status_code == 403
    assert (await place.ask("POST", "Observation", an_observation(OPEN), scopes=scopes)).status_code == 403
    seen = two["mine seen"]
    assert (await place.ask("PUT", f"Observation/{seen['id']}", {**seen, **other}, scopes=scopes)).status_code == 403
    mine = {"subject": {"reference": f"Patient/{two['mine']['id']}"}}
    taken = two["other seen"]
    assert (await place.ask("PUT", f"Observation/{taken['id']}", {**taken, **mine}, scopes=scopes)).status_code == 404
    assert (await place.ask("POST", "Observation", an_observation(OPEN, **mine), scopes=scopes)).status_code == 201


async def test_a_patient_scope_without_a_patient_is_no_scope(place: Place, two: dict[str, Resource]) -> None:
    assert (await place.ask("GET", "Observation", scopes="patient/*.cruds")).status_code == 403
    assert (await place.ask("GET", f"Patient/{two['mine']['id']}", scopes="patient/Patient.r")).status_code == 403
