"""A reference that a rule relies on leads somewhere, or the write is refused at its element."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.service import Keeps, Service

from tests.fhir.place import IMPORT, Place, a_bundle, a_patient, a_request, opened, where


@pytest.fixture(scope="module")
async def place(data_dir: Path) -> AsyncIterator[Place]:
    kept = [Keeps("Patient"), Keeps("ServiceRequest", must_exist=("subject", "supportingInfo")), Keeps("Task")]
    async with opened(data_dir, Service("order", "o", "Requests of known patients", keeps=kept)) as street:
        yield street["order"]


def about(reference: str, **members: Any) -> dict[str, Any]:
    return a_request(subject={"reference": reference}, **members)


async def test_a_request_about_nobody_is_refused_at_its_element_and_nothing_is_stored(place: Place) -> None:
    before = await place.everything()
    refused = await place.ask("POST", "ServiceRequest", about("Patient/o-nobody"))
    assert (refused.status_code, where(refused)) == (422, ["ServiceRequest.subject"])
    assert {**await place.everything(), "audit": 0} == {**before, "audit": 0}


async def test_each_of_several_references_is_named_by_its_place(place: Place) -> None:
    patient = await place.make(a_patient())
    supporting = [{"reference": f"Patient/{patient['id']}"}, {"reference": "Observation/o-none"}]
    refused = await place.ask("POST", "ServiceRequest", about("Patient/o-nobody", supportingInfo=supporting))
    assert where(refused) == ["ServiceRequest.subject", "ServiceRequest.supportingInfo[1]"]


async def test_a_request_about_somebody_is_taken_and_keeps_him_here(place: Place) -> None:
    patient = await place.make(a_patient())
    await place.make(about(f"Patient/{patient['id']}"))
    await place.make(about(f"Patient/{patient['id']}/_history/1"))
    assert (await place.ask("DELETE", f"Patient/{patient['id']}")).status_code == 409


async def test_a_request_about_somebody_deleted_is_refused(place: Place) -> None:
    patient = await place.make(a_patient())
    assert (await place.ask("DELETE", f"Patient/{patient['id']}")).status_code == 204
    refused = await place.ask("POST", "ServiceRequest", about(f"Patient/{patient['id']}"))
    assert refused.status_code == 422


@pytest.mark.parametrize(
    "subject",
    [
        {"reference": "https://elsewhere.example/fhir/Patient/1"},
        {"identifier": {"system": "urn:his", "value": "7"}},
        {"display": "somebody"},
    ],
)
async def test_what_cannot_be_looked_up_here_is_not_judged(place: Place, subject: dict[str, Any]) -> None:
    await place.make(a_request(subject=subject))


async def test_a_transaction_sees_its_own_entries(place: Place) -> None:
    patient = {"fullUrl": "urn:uuid:7b0c5a5e-8a5e-4b8e-9a43-0b7c4d2d1a11"}
    bundle = a_bundle(
        "transaction", ("POST", "ServiceRequest", about(patient["fullUrl"])), ("POST", "Patient", a_patient())
    )
    bundle["entry"][1] |= patient
    assert (await place.ask("POST", "", bundle)).status_code == 200
    bundle = a_bundle("transaction", ("POST", "Task", {"resourceType": "Task", "status": "draft", "intent": "order"}))
    bundle["entry"] += a_bundle("transaction", ("POST", "ServiceRequest", about("Patient/o-nobody")))["entry"]
    refused = await place.ask("POST", "", bundle)
    assert refused.status_code == 422
    assert where(refused) == ["Bundle.entry[1].resource.subject"]


async def test_history_is_taken_as_it_is_and_can_be_changed_afterwards(place: Place) -> None:
    imported = await place.ask(
        "PUT", "ServiceRequest/h1", about("Patient/gone", id="h1", status="completed"), scopes=IMPORT
    )
    assert imported.status_code == 201
    changed = {**imported.json(), "status": "revoked"}
    assert (await place.ask("PUT", "ServiceRequest/h1", changed)).status_code == 200
    moved = {**changed, "subject": {"reference": "Patient/another"}}
    assert (await place.ask("PUT", "ServiceRequest/h1", moved)).status_code == 422
