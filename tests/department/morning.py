"""A morning in the department: people with accounts, scanners, and requests that stand differently."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
from slipring.identity.people.administering import Administration
from slipring.runtime.clock import utc_now
from slipring.runtime.postgres import ensure_running
from slipring_demo.cast import SYNTHETIC, C, cast_bundle, staff_of
from slipring_demo.ordering import stated

from tests.support.server import Server

PASSWORD = "nine quiet rings of copper"
PEOPLE = {
    "desk": ("nurse", ["receptionist"]),
    "tech": ("technologist", ["technologist"]),
    "bedside": ("nurse", ["ct-nurse"]),
    "reader": ("second reader", ["radiologist-d"]),
    "author": ("first reader", ["radiologist-b"]),
    "ward": ("requester", ["ward-nurse"]),
    "doctor": ("requester", ["requester"]),
    "chief": ("second reader", ["quality-manager", "radiologist-d"]),
    "admin": ("nurse", ["administrator"]),
    "assessor": ("nurse", ["assessor"]),
}
_ITEMS = ("surgery-endoscopy", "pathology", "laboratory", "earlier-imaging", "precautions", "consent-information")
_V2 = "http://terminology.hl7.org/CodeSystem/v2-0203"
_LOINC = "http://loinc.org"


@dataclass
class Morning:
    """The running house with its people and what they ordered; a request is known by the name of its patient."""

    url: str
    staff: dict[str, str]
    patients: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    scanners: dict[str, dict[str, Any]] = field(default_factory=dict)

    def number(self, who: str) -> str:
        """The imaging number of somebody's request."""
        identifiers = self.requests[who]["identifier"]
        return next(one["value"] for one in identifiers if one["system"].endswith("imaging-number"))

    def card(self, who: str) -> str:
        """What stands on somebody's card."""
        return str(self.patients[who]["identifier"][0]["value"])


def a_morning(served: Server) -> Morning:
    """Staff, scanners, and five patients: one ready to come, one incomplete, one pregnant, two in the green channel."""
    with served.loading() as http:
        answer = http.post("/fhir", json=cast_bundle(with_patient=False)).raise_for_status()
    with served.client() as http:
        made = ["/".join(e["response"]["location"].split("/fhir/")[1].split("/")[:2]) for e in answer.json()["entry"]]
        morning = Morning(served.url, staff_of(made))
        for name in ("CT 1", "CT 2"):
            morning.scanners[name] = posted(http, _scanner(name))
        asyncio.run(accounts(served, {name: (morning.staff[who], roles) for name, (who, roles) in PEOPLE.items()}))
        for who, born, sex in (
            ("柳", "1961-02-03", "male"),
            ("云", "1990-05-06", "female"),
            ("苏", "1994-07-08", "female"),
            ("石", "1950-09-10", "male"),
            ("秦", "1952-11-12", "male"),
        ):
            morning.patients[who] = posted(http, a_patient(who, born, sex))
        order(http, morning, "柳", "30799-1", "CT head", "69536005", "Head")
        order(http, morning, "云", "24627-2", "CT chest", "816094009", "Chest", items=_ITEMS[:4])
        pregnant = posted(http, _pregnancy(morning.patients["苏"], "LA15173-0", "Pregnant"))
        order(http, morning, "苏", "24627-2", "CT chest", "816094009", "Chest", supporting=pregnant)
        order(http, morning, "石", "30799-1", "CT head", "69536005", "Head", priority="stat")
        order(http, morning, "秦", "30799-1", "CT head", "69536005", "Head", priority="stat")
    return morning


def order(
    http: httpx.Client, morning: Morning, who: str, code: str, display: str, site: str, site_name: str,
    *, priority: str = "routine", items: tuple[str, ...] = _ITEMS, supporting: dict[str, Any] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """The ward orders a CT for somebody."""
    patient = f"Patient/{morning.patients[who]['id']}"
    request = a_request(patient, morning.staff["requester"], code, display, site, site_name, items=items)
    request["priority"] = priority
    if supporting:
        request["supportingInfo"] = [{"reference": f"Observation/{supporting['id']}"}]
    morning.requests[who] = posted(http, request)
    return morning.requests[who]


def a_request(
    patient: str, requester: str, code: str, display: str, site: str, site_name: str,
    *, items: tuple[str, ...] = _ITEMS, at: datetime | None = None,
) -> dict[str, Any]:  # fmt: skip
    """A request for a CT that states these items of the clinical data."""
    placer = {
        "type": {"coding": [{"system": _V2, "code": "PLAC"}]},
        "system": f"{C}/his-order",
        "value": f"HIS-{uuid.uuid4().hex[:10]}",
    }
    return {
        "resourceType": "ServiceRequest",
        "meta": SYNTHETIC,
        "extension": [stated(item, "none") for item in items],
        "identifier": [placer],
        "status": "active",
        "intent": "order",
        "category": [{"coding": [{"system": "http://snomed.info/sct", "code": "363679005", "display": "Imaging"}]}],
        "code": {"coding": [{"system": _LOINC, "code": code, "display": display}]},
        "bodySite": [{"coding": [{"system": "http://snomed.info/sct", "code": site, "display": site_name}]}],
        "subject": {"reference": patient},
        "requester": {"reference": requester},
        "authoredOn": (at or utc_now()).isoformat(timespec="seconds"),
        "reasonCode": [{"text": "头痛两天，出血？ Headache for two days, bleeding?"}],
    }


def posted(http: httpx.Client, resource: dict[str, Any]) -> dict[str, Any]:
    """A resource as it was made."""
    headers = {"Prefer": "return=representation", "Content-Type": "application/fhir+json"}
    answer = http.post(f"/fhir/{resource['resourceType']}", json=resource, headers=headers)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _scanner(name: str) -> dict[str, Any]:
    return {
        "resourceType": "Device",
        "meta": SYNTHETIC,
        "status": "active",
        "deviceName": [{"name": name, "type": "user-friendly-name"}],
        "type": {"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}]},
    }


def a_patient(family: str, born: str, sex: str) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "meta": SYNTHETIC,
        "identifier": [{"system": f"{C}/patient-number", "value": f"P-{uuid.uuid4().hex[:8]}"}],
        "name": [{"family": family, "given": ["虚构"], "text": f"{family}虚构"}],
        "telecom": [{"system": "phone", "value": "000-0000-0000"}],
        "gender": sex,
        "birthDate": born,
    }


def _pregnancy(patient: dict[str, Any], code: str, display: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "meta": SYNTHETIC,
        "status": "final",
        "code": {"coding": [{"system": _LOINC, "code": "82810-3"}]},
        "subject": {"reference": f"Patient/{patient['id']}"},
        "effectiveDateTime": utc_now().isoformat(timespec="seconds"),
        "valueCodeableConcept": {"coding": [{"system": _LOINC, "code": code, "display": display}]},
    }


async def accounts(served: Server, people: Mapping[str, tuple[str, list[str]]]) -> None:
    """Accounts of these names: each a Practitioner and his roles."""
    dsn = await asyncio.to_thread(ensure_running, served.data_dir)
    connection = await asyncpg.connect(dsn, server_settings={"search_path": "front"})
    try:
        act = Administration(connection, "front", utc_now())
        async with connection.transaction():
            for name, (who, roles) in people.items():
                until = utc_now() + timedelta(days=1) if "assessor" in roles else None  # whose account ends by itself
                await act.add(name, who, roles, password=PASSWORD, by="test", ends_at=until)
    finally:
        await connection.close()
