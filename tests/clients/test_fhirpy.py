"""fhirpy (https://pypi.org/project/fhirpy) from registration to an ordered exam, and what follows."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fhirpy import AsyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

from tests.support.server import Server


@pytest.fixture
async def client(served: Server) -> AsyncIterator[AsyncFHIRClient]:
    """The client with a token of the demo HIS."""
    with served.client() as his:
        bearer = await asyncio.to_thread(lambda: his.get("/fhir/Patient?_count=0").request.headers["authorization"])
    yield AsyncFHIRClient(f"{served.url}/fhir", authorization=bearer)


def a_patient(**members: Any) -> dict[str, Any]:
    """A synthetic person with a number of its own."""
    number = uuid.uuid4().hex[:10]
    return {
        "name": [{"family": "Synthetic", "given": [number]}],
        "identifier": [{"system": "urn:his:patient", "value": number}],
        "birthDate": "1970-01-01",
        **members,
    }


async def test_a_patient_is_saved_changed_searched_and_removed(client: AsyncFHIRClient) -> None:
    patient = client.resource("Patient", **a_patient())
    await patient.save()
    assert patient.id
    assert patient["meta"]["versionId"] == "1"
    patient["gender"] = "female"
    await patient.save()
    found = (
        await client.resources("Patient")
        .search(identifier=f"urn:his:patient|{patient['identifier'][0]['value']}")
        .fetch_all()
    )
    assert [one.id for one in found] == [patient.id]
    assert found[0]["gender"] == "female"
    read = await client.reference("Patient", patient.id).to_resource()
    assert read["meta"]["versionId"] == "2"
    history = await client.execute(f"Patient/{patient.id}/_history", method="get")
    assert [entry["response"]["etag"] for entry in history["entry"]] == ['W/"2"', 'W/"1"']
    await patient.delete()
    with pytest.raises((ResourceNotFound, OperationOutcome)):
        await client.reference("Patient", patient.id).to_resource()


async def test_a_missing_resource_and_a_wrong_one_are_told_as_the_client_expects(client: AsyncFHIRClient) -> None:
    with pytest.raises(ResourceNotFound):
        await client.reference("Patient", "never").to_resource()
    with pytest.raises(OperationOutcome) as told:
        await client.resource("Patient", birthDate="yesterday").save()
    assert told.value.resource["issue"][0]["expression"] == ["Patient.birthDate"]
    with pytest.raises(OperationOutcome):
        await client.resources("Patient").search(nonsense="1").fetch()


async def test_a_conditional_save_makes_one_however_often(client: AsyncFHIRClient, served: Server) -> None:
    body = a_patient()
    condition = f"identifier=urn:his:patient|{body['identifier'][0]['value']}"
    once = AsyncFHIRClient(client.url, client.authorization, {"If-None-Exist": condition})
    made = []
    for _ in range(3):
        patient = once.resource("Patient", **body)
        await patient.save()
        made.append(patient.id)
    assert len(set(made)) == 1


async def test_ways_that_are_not_fhir_are_refused_instead_of_half_understood(client: AsyncFHIRClient) -> None:
    """The library has parameters of another server: `POST Patient?identifier=` and `_totalMethod`."""
    body = a_patient()
    searched = client.resources("Patient").search(identifier=f"urn:his:patient|{body['identifier'][0]['value']}")
    with pytest.raises(OperationOutcome):
        await searched.get_or_create(client.resource("Patient", **body))
    with pytest.raises(OperationOutcome):
        await searched.count()
    assert await searched.fetch_all() == []


async def test_an_order_in_a_transaction_is_found_by_chain_include_and_pages(client: AsyncFHIRClient) -> None:
    body, placer = a_patient(), uuid.uuid4().hex[:10]
    answer = await client.execute("", method="post", data=an_order(body, placer))
    assert [entry["response"]["status"][:3] for entry in answer["entry"]] == ["201", "201"]
    name = body["name"][0]["given"][0]
    found = await client.resources("ServiceRequest").search(**{"subject:Patient.given": name}).fetch_all()
    assert len(found) == 1
    bundle = await client.execute(
        "ServiceRequest", method="get", params={"subject:Patient.given": name, "_include": "ServiceRequest:subject"}
    )
    modes = sorted(entry["search"]["mode"] for entry in bundle["entry"])
    assert modes == ["include", "match"]
    tasks = await client.resources("Task").search(focus=f"ServiceRequest/{found[0].id}").fetch_all()
    assert [task["code"]["coding"][0]["code"] for task in tasks] == ["exam"]


async def test_pages_are_walked_to_the_end(client: AsyncFHIRClient) -> None:
    family = f"Paged{uuid.uuid4().hex[:6]}"
    for _ in range(7):
        await client.resource("Patient", **a_patient(name=[{"family": family}])).save()
    found = await client.resources("Patient").search(family=family).sort("_lastUpdated").limit(3).fetch_all()
    assert len(found) == 7
    assert len({one.id for one in found}) == 7
    counted = await client.execute("Patient", method="get", params={"family": family, "_summary": "count"})
    assert counted["total"] == 7


async def test_a_patch_and_an_operation_are_called(client: AsyncFHIRClient) -> None:
    patient = client.resource("Patient", **a_patient())
    await patient.save()
    answer = await client.execute("", method="post", data=an_order(a_patient(), uuid.uuid4().hex[:10]))
    request = answer["entry"][1]["response"]["location"].partition("/fhir/")[2].partition("/_history")[0]
    stored = await client.execute(request, method="get")
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": stored}]}
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "data", "resource": bundle}]}
    judged = await client.execute("ServiceRequest/$justify", method="post", data=parameters)
    assert "outcome" in [parameter["name"] for parameter in judged["parameter"]]


def an_order(patient: dict[str, Any], placer: str) -> dict[str, Any]:
    """A transaction with a patient and a CT request for it."""
    urn = f"urn:uuid:{uuid.uuid4()}"
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}]}
    request = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "subject": {"reference": urn},
        "identifier": [{"type": kind, "system": "urn:his:order", "value": placer}],
        "code": {"text": "CT of the chest"},
        "reasonCode": [{"text": "cough for three weeks"}],
    }
    return {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": urn,
                "resource": {"resourceType": "Patient", **patient},
                "request": {"method": "POST", "url": "Patient"},
            },
            {"resource": request, "request": {"method": "POST", "url": "ServiceRequest"}},
        ],
    }
