"""fhirclient (https://pypi.org/project/fhirclient, by SMART) reads, writes and searches with its own models."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from fhirclient import client as smart
from fhirclient.models import fhirreference, humanname, identifier, patient, servicerequest

from tests.support.server import Server


@pytest.fixture
def server(served: Server) -> Iterator[smart.FHIRServer]:
    """The client's server object, its session carrying a token of the demo HIS."""
    with served.client() as his:
        bearer = his.get("/fhir/Patient?_count=0").request.headers["authorization"]
    made = smart.FHIRClient(settings={"app_id": "his", "api_base": f"{served.url}/fhir"}).server
    made.session.headers["Authorization"] = bearer
    made.session.trust_env = False
    yield made


def a_patient(family: str) -> patient.Patient:
    """A synthetic person."""
    made = patient.Patient()
    made.name = [humanname.HumanName({"family": family})]
    made.identifier = [identifier.Identifier({"system": "urn:his:patient", "value": uuid.uuid4().hex[:10]})]
    return made


def test_the_statement_is_read_by_the_clients_strict_model(server: smart.FHIRServer) -> None:
    server.get_capability()
    stated = server.capabilityStatement if hasattr(server, "capabilityStatement") else server._capability
    assert stated.fhirVersion == "4.0.1"
    assert {"Patient", "ServiceRequest", "Consent", "DiagnosticReport", "Communication"} <= {
        resource.type for resource in stated.rest[0].resource
    }


def test_a_patient_goes_through_its_life(server: smart.FHIRServer) -> None:
    family = f"Smart{uuid.uuid4().hex[:6]}"
    made = patient.Patient(a_patient(family).create(server))
    assert made.meta.versionId == "1"
    made.gender = "other"
    made.update(server)
    read = patient.Patient.read(made.id, server)
    assert (read.gender, read.meta.versionId) == ("other", "2")
    found = patient.Patient.where({"family": family}).perform_resources(server)
    assert [one.id for one in found] == [made.id]
    read.delete(server)
    with pytest.raises(Exception, match=r"410|[Gg]one|deleted"):
        patient.Patient.read(made.id, server)


def test_a_request_is_found_through_its_patient_with_every_page(server: smart.FHIRServer) -> None:
    family = f"Smart{uuid.uuid4().hex[:6]}"
    made = patient.Patient(a_patient(family).create(server))
    for _ in range(5):
        request = servicerequest.ServiceRequest()
        request.status, request.intent = "active", "order"
        request.subject = fhirreference.FHIRReference({"reference": f"Patient/{made.id}"})
        request.create(server)
    struct = {"patient.family": family, "_include": "ServiceRequest:patient", "_count": "2"}
    search = servicerequest.ServiceRequest.where(struct)
    found = list(search.perform_resources_iter(server))
    kinds = [one.resource_type for one in found]
    assert kinds.count("ServiceRequest") == 5
    assert "Patient" in kinds
