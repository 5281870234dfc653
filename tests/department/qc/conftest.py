"""A scanner of its own for the pages of the quality programme: out of service, so that nobody books it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from slipring.department.bookings import STATE
from slipring.runtime.clock import utc_now
from slipring_demo.cast import SYNTHETIC, C

from tests.department.morning import Morning, posted
from tests.support.server import Server

_WATER = [0.2, -0.1, 0.1, 0.0, -0.2, 0.1, 2.6]  # the last one strays
OUT_OF_SERVICE = {"url": STATE, "valueCode": "out-of-service"}
_UNITS = {"water": "[hnsf'U]", "couch": "mm"}


@dataclass(frozen=True)
class Watched:
    """The scanner, and who stands for its tests."""

    id: str
    name: str
    tester: str
    approver: str


@pytest.fixture(scope="session")
def tested(served: Server, morning: Morning) -> Iterator[Watched]:
    """Accepted eight months ago and measured every month since."""
    with served.client() as http:
        device = {
            "resourceType": "Device", "meta": SYNTHETIC, "status": "active",
            "deviceName": [{"name": "CT 质控 9", "type": "user-friendly-name"}],
            "type": {"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "CT"}]},
            "extension": [OUT_OF_SERVICE],
        }  # fmt: skip
        made = posted(http, device)
        second = morning.staff["second reader"]
        lead = {"coding": [{"system": f"{C}/CodeSystem/staff-role", "code": "technical-lead"}]}
        role = {"resourceType": "PractitionerRole", "meta": SYNTHETIC, "active": True, "code": [lead]}
        posted(http, role | {"practitioner": {"reference": second}, "period": {"start": "2020-01-01"}})
        found = Watched(str(made["id"]), "CT 质控 9", morning.staff["technologist"], second)
        a_round(http, found, 240, "acceptance", water=0.0)
        for number, value in enumerate(_WATER):
            a_round(http, found, 210 - 30 * number, "constancy", water=value)
        yield found
        http.delete(f"/fhir/Device/{made['id']}")


def a_round(http: httpx.Client, tested: Watched, days: int, kind: str, **values: float) -> None:
    """A round so many days ago, approved."""
    at = (utc_now() - timedelta(days=days)).isoformat(timespec="seconds")
    given: list[dict[str, Any]] = [
        {"name": "kind", "valueCode": kind},
        {"name": "at", "valueDateTime": at},
        _by(tested.tester),
    ]
    given += [
        {
            "name": "value",
            "part": [
                {"name": "test", "valueCode": test},
                {
                    "name": "quantity",
                    "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": _UNITS[test]},
                },
            ],
        }
        for test, value in values.items()
    ]
    said = _called(http, f"Device/{tested.id}/$enter-qc", given)
    made = next(one["resource"] for one in said["parameter"] if one["name"] == "return")
    _called(
        http, f"Task/{made['id']}/$review-qc", [{"name": "decision", "valueCode": "approved"}, _by(tested.approver)]
    )


def _by(person: str) -> dict[str, Any]:
    return {"name": "performer", "valueReference": {"reference": person}}


def _called(http: httpx.Client, target: str, given: list[dict[str, Any]]) -> dict[str, Any]:
    answer = http.post(f"/fhir/{target}", json={"resourceType": "Parameters", "parameter": given})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
