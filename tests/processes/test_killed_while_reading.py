"""kill -9 while a report is due and a reader has the case: it is warned about, and the claim runs out, all the same."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from slipring.runtime.postgres import stop
from slipring_demo.cast import practitioner, role

from tests.support.server import Server

FHIR = {"Content-Type": "application/fhir+json"}
C = "https://slipring.example/fhir"
LEFT = timedelta(seconds=25)  # until the warning, long enough to be killed in
WARNS_AFTER = timedelta(minutes=20)  # the green channel's 30 minutes, 10 of them left


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A fresh department that may be killed."""
    made = Server(tmp_path)
    yield made
    made.stop()
    stop(tmp_path)


@pytest.mark.clause("5.8.1")
def test_a_warning_and_the_end_of_a_claim_come_although_the_server_was_killed_before_them(server: Server) -> None:
    server.start()
    with server.loading() as http:
        reader = made(http, practitioner("X-1", "虚", "构", "resident-physician"))
        hospital = made(http, {"resourceType": "Organization", "name": "虚构医院"})
        names = f"Practitioner/{reader['id']}", f"Organization/{hospital['id']}"
        made(http, role(*names, "radiologist", "level-a"))
        patient = made(http, {"resourceType": "Patient", "name": [{"text": "虚构 阅"}]})
    with server.client() as http:
        reading = acquired(http, patient)
        claim = {"resourceType": "Parameters", "parameter": [by(names[0]), {"name": "minutes", "valueInteger": 1}]}
        claimed = until(http, reading, lambda: tried(http, f"Task/{reading['id']}/$claim", claim))
        assert states(claimed) == ["claimed", "running"]
    server.kill()
    server.start()
    with server.client() as http:
        free = until(http, reading, lambda: None, lambda task: states(task) == ["unread", "warned"])
        assert free["restriction"] == reading["restriction"] and "owner" not in free
        issues = found(http, f"DetectedIssue?implicated=Task/{reading['id']}")
        assert [one["code"]["coding"][0]["code"] for one in issues] == ["report.reporting-time-warning"]


def acquired(http: httpx.Client, patient: dict[str, Any]) -> dict[str, Any]:
    """An exam whose images say when it was scanned; its reading."""
    subject = {"reference": f"Patient/{patient['id']}"}
    request = made(
        http,
        {
            "resourceType": "ServiceRequest",
            "status": "active",
            "intent": "order",
            "priority": "stat",
            "subject": subject,
            "code": {"text": "CT"},
        },
    )
    scanned = (datetime.now(UTC) - WARNS_AFTER + LEFT).isoformat(timespec="seconds")
    study = {"resourceType": "ImagingStudy", "status": "available", "subject": subject, "started": scanned}
    made(http, study | {"basedOn": [{"reference": f"ServiceRequest/{request['id']}"}]})
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if readings := found(http, f"Task?code=reading&focus=ServiceRequest/{request['id']}"):
            return readings[0]
        time.sleep(0.2)
    raise AssertionError("no reading was opened")


def until(
    http: httpx.Client,
    reading: dict[str, Any],
    act: Callable[[], None],
    holds: Callable[[dict[str, Any]], bool] = lambda task: "owner" in task,
) -> dict[str, Any]:
    """The reading once it is as waited for."""
    end = time.monotonic() + 150
    while time.monotonic() < end:
        act()
        task: dict[str, Any] = http.get(f"/fhir/Task/{reading['id']}").raise_for_status().json()
        if holds(task):
            return task
        time.sleep(0.3)
    raise AssertionError(f"the reading never came to that: {states(task)}")


def states(task: dict[str, Any]) -> list[str]:
    return [coding["code"] for coding in task["businessStatus"]["coding"]]


def tried(http: httpx.Client, address: str, said: dict[str, Any]) -> None:
    """The reader's copy may not have arrived yet."""
    http.post(f"/fhir/{address}", json=said, headers=FHIR)


def by(who: str) -> dict[str, Any]:
    return {"name": "by", "valueReference": {"reference": who}}


def found(http: httpx.Client, query: str) -> list[dict[str, Any]]:
    return [one["resource"] for one in http.get(f"/fhir/{query}").raise_for_status().json().get("entry", [])]


def made(http: httpx.Client, resource: dict[str, Any]) -> dict[str, Any]:
    answer = http.post(f"/fhir/{resource['resourceType']}", json=resource, headers=FHIR)
    assert answer.status_code == 201, answer.text
    tree: dict[str, Any] = answer.json()
    return tree
