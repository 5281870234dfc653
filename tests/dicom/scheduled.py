"""A hospital with exams on its scanners, made over HTTP as HIS and department would."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from slipring_demo.cast import SYNTHETIC, C, cast_bundle, staff_of
from slipring_demo.ordering import stated
from slipring_demo.story import made_by
from slipring_order.reading import instant
from slipring_order.rooms.measured import TEST_SYSTEM

from tests.support.server import Server

Tree = dict[str, Any]
_FHIR = {"Content-Type": "application/fhir+json"}
_SAID = ("surgery-endoscopy", "pathology", "laboratory", "earlier-imaging", "precautions", "consent-information")


@dataclass
class Exam:
    """One exam with a time on a scanner."""

    request: Tree
    task: Tree
    step: Tree
    patient: Tree

    @property
    def number(self) -> str:
        """The imaging number."""
        return str(self.task["groupIdentifier"]["value"])

    @property
    def study_uid(self) -> str:
        """The Study Instance UID reserved for it."""
        [uid] = [one["value"] for one in self.step["identifier"] if one["system"] == "urn:dicom:uid"]
        return str(uid).removeprefix("urn:oid:")

    @property
    def patient_id(self) -> str:
        """The patient's number."""
        return str(self.patient["identifier"][0]["value"])


@dataclass
class Hospital:
    """What tests do with a running server."""

    server: Server
    scanners: dict[str, Tree] = field(default_factory=dict)  # by AE title
    staff: dict[str, str] = field(default_factory=dict)
    begins_at: datetime = field(default_factory=lambda: _next_monday())  # noqa: PLW0108 - defined below
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = self.server.department()
        with self.server.loading() as loading:
            answer = loading.post("/fhir", json=cast_bundle(with_patient=False), headers=_FHIR)
        assert answer.status_code == 200, answer.text
        self.staff = staff_of(made_by(answer.json()))
        for ae_title in ("CT1", "CT2"):
            self.scanners[ae_title] = self.made(a_scanner(ae_title))

    def made(self, resource: Tree) -> Tree:
        """POST a resource that must be taken."""
        answer = self.http.post(f"/fhir/{resource['resourceType']}", json=resource, headers=_FHIR)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def saved(self, resource: Tree) -> Tree:
        """PUT a resource that must be taken."""
        answer = self.http.put(f"/fhir/{resource['resourceType']}/{resource['id']}", json=resource, headers=_FHIR)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def found(self, query: str) -> list[Tree]:
        """All matches of a search."""
        answer = self.http.get(f"/fhir/{query}")
        assert answer.status_code == 200, answer.text
        return [entry["resource"] for entry in answer.json().get("entry", [])]

    def read(self, reference: str) -> Tree:
        """A resource as it stands."""
        answer = self.http.get(f"/fhir/{reference}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def called(self, address: str, **values: tuple[str, Any]) -> Tree:
        """An operation that must be answered."""
        given = [{"name": name, f"value{kind}": value} for name, (kind, value) in values.items()]
        body = {"resourceType": "Parameters", "parameter": given}
        answer = self.http.post(f"/fhir/{address}", json=body, headers=_FHIR)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def exam(self, patient: Tree, ae_title: str = "CT1", *, minutes: int | None = None, **members: Any) -> Exam:
        """A justified exam with a time on a scanner; `minutes` after the first of all."""
        kept = patient if "id" in patient else self.made(patient)
        request = self.made(a_request(kept, self.staff["requester"], **members))
        task = self.task_of(request)
        if task["businessStatus"]["coding"][0]["code"] != "justified":
            reason = {"coding": [{"system": f"{C}/CodeSystem/decision-reason", "code": "benefit"}]}
            self.called(
                f"Task/{task['id']}/$decide",
                decision=("Code", "justified"),
                reason=("CodeableConcept", reason),
                performer=("Reference", {"reference": self.staff["second reader"]}),
            )
        given: dict[str, tuple[str, Any]] = {"scanner": ("Reference", self.reference(ae_title))}
        if minutes is not None:
            start = self.begins_at + timedelta(minutes=minutes)
            period = {"start": instant(start), "end": instant(start + timedelta(minutes=15))}
            given["period"] = ("Period", period)
        answer = self.called(f"Task/{task['id']}/$schedule", **given)
        [step] = [one["resource"] for one in answer["parameter"] if one["name"] == "step"]
        return Exam(request, self.task_of(request), step, kept)

    def reference(self, ae_title: str) -> Tree:
        """A reference to a scanner."""
        return {"reference": f"Device/{self.scanners[ae_title]['id']}"}

    def task_of(self, request: Tree) -> Tree:
        """The exam's Task."""
        [task] = self.found(f"Task?focus=ServiceRequest/{request['id']}&code=exam")
        return task

    def state(self, exam: Exam) -> str:
        """The exam's state."""
        return str(self.task_of(exam.request)["businessStatus"]["coding"][0]["code"])


def a_patient(number: str, *names: Tree, **members: Any) -> Tree:
    """A made-up patient."""
    return {
        "resourceType": "Patient",
        "meta": SYNTHETIC,
        "identifier": [{"system": f"{C}/patient-number", "value": number}],
        "name": list(names) or [{"family": "章", "given": ["虚构"]}],
        "telecom": [{"system": "phone", "value": "000-0000-0000"}],
        "gender": "male",
        "birthDate": "1958-04-12",
    } | members


def a_scanner(ae_title: str) -> Tree:
    """A CT scanner that calls itself so."""
    return {
        "resourceType": "Device",
        "meta": SYNTHETIC,
        "status": "active",
        "identifier": [{"system": f"{C}/sid/ae-title", "value": ae_title}],
        "deviceName": [{"name": f"CT {ae_title}", "type": "user-friendly-name"}],
        "type": {"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}]},
    }


def a_water_value(scanner: Tree, value: float) -> Tree:
    """The CT number of water as somebody measured it just now, at constancy."""
    return {
        "resourceType": "Observation",
        "meta": SYNTHETIC,
        "status": "final",
        "code": {"coding": [{"system": TEST_SYSTEM, "code": "water"}]},
        "method": {"coding": [{"code": "status"}]},
        "subject": scanner,
        "effectiveDateTime": instant(datetime.now(UTC)),
        "valueQuantity": {"value": value, "unit": "HU", "system": "http://unitsofmeasure.org", "code": "[hnsf'U]"},
    }


def a_request(patient: Tree, requester: str, **members: Any) -> Tree:
    """A complete request for a plain CT of the chest."""
    placer = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "PLAC"}]}
    return {
        "resourceType": "ServiceRequest",
        "meta": SYNTHETIC,
        "identifier": [{"type": placer, "system": f"{C}/his-order", "value": f"HIS-{uuid.uuid4().hex[:10]}"}],
        "extension": [stated(item, "none") for item in _SAID],
        "status": "active",
        "intent": "order",
        "category": [{"coding": [{"system": "http://snomed.info/sct", "code": "363679005"}]}],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": "24627-2", "display": "CT Chest"}],
            "text": "胸部 CT 平扫",
        },
        "bodySite": [{"coding": [{"system": "http://snomed.info/sct", "code": "816094009", "display": "Chest"}]}],
        "subject": {"reference": f"Patient/{patient['id']}"},
        "requester": {"reference": requester},
        "reasonCode": [{"text": "胸痛两天，气胸？"}],
    } | members


def _next_monday() -> datetime:
    """Eight o'clock in the department on a Monday to come."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)  # 08:00 in Shanghai
    return today + timedelta(days=7 - today.weekday())
