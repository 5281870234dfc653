"""kill -9 while a patient is under observation: the time is over all the same, and the Task says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from slipring.runtime.postgres import stop

from tests.support.server import Server

LATE = "system/*.cruds slipring/record-late"
LEFT = timedelta(seconds=12)  # long enough to be killed in


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A fresh department that may be killed."""
    made = Server(tmp_path)
    yield made
    made.stop()
    stop(tmp_path)


@pytest.mark.clause("5.4.4.1")
def test_the_time_of_an_observation_is_over_although_the_server_was_killed_in_it(server: Server) -> None:
    server.start()
    with server.client(LATE) as http:
        patient = made(http, {"resourceType": "Patient", "name": [{"text": "虚构 观"}]})
        ended = datetime.now(UTC) + LEFT
        injection = {
            "resourceType": "MedicationAdministration",
            "status": "completed",
            "medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB02"}]},
            "subject": {"reference": f"Patient/{patient['id']}"},
            "effectiveDateTime": (ended - timedelta(minutes=60)).isoformat(timespec="seconds"),
            "statusReason": [{"text": "by hand"}],
            "performer": [{"actor": {"reference": "Practitioner/o-nurse"}}],
        }
        given = made(http, injection)
        [task] = found(http, f"Task?code=observation&focus=MedicationAdministration/{given['id']}")
        assert task["status"] == "in-progress"
    server.kill()
    server.start()
    with server.client(LATE) as http:
        over = until_ready(http, task["id"])
    assert over["businessStatus"]["coding"][0]["code"] == "over"
    assert over["restriction"] == task["restriction"], "the deadline is the one that stood before"
    assert datetime.fromisoformat(over["meta"]["lastUpdated"]) >= datetime.fromisoformat(
        task["restriction"]["period"]["end"]
    )


def until_ready(http: httpx.Client, task_id: str) -> dict[str, Any]:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        task: dict[str, Any] = http.get(f"/fhir/Task/{task_id}").raise_for_status().json()
        if task["status"] == "ready":
            return task
        time.sleep(0.2)
    raise AssertionError("the time of the observation was never over")


def found(http: httpx.Client, query: str) -> list[dict[str, Any]]:
    return [one["resource"] for one in http.get(f"/fhir/{query}").raise_for_status().json().get("entry", [])]


def made(http: httpx.Client, resource: dict[str, Any]) -> dict[str, Any]:
    answer = http.post(
        f"/fhir/{resource['resourceType']}", json=resource, headers={"Content-Type": "application/fhir+json"}
    )
    assert answer.status_code == 201, answer.text
    tree: dict[str, Any] = answer.json()
    return tree
