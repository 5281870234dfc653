"""AuditEvent: what the audit rows say, as R4, to those who may see it; and who looked is on record too."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.checks.shape import check

from tests.fhir.conftest import small_service
from tests.fhir.place import ALL, IMPORT, Place, opened

AUDITOR = "system/AuditEvent.rs"


@pytest.fixture(scope="module")
async def place(data_dir: Path) -> AsyncIterator[Place]:
    async with opened(data_dir, small_service()) as street:
        order = street["order"]
        for name in ("anna", "bo"):
            patient = {"resourceType": "Patient", "id": name, "gender": "other"}
            assert (await order.ask("PUT", f"Patient/{name}", patient, scopes=IMPORT)).status_code == 201
            task = {
                "resourceType": "Task",
                "status": "draft",
                "intent": "order",
                "for": {"reference": f"Patient/{name}"},
            }
            made = await order.make(task)
            assert (await order.ask("GET", f"Task/{made['id']}")).status_code == 200
        yield order


async def events(place: Place, query: str, *, scopes: str = AUDITOR) -> list[dict[str, Any]]:
    answer = await place.ask("GET", f"AuditEvent?{query}", scopes=scopes)
    assert answer.status_code == 200, answer.text
    return [entry["resource"] for entry in answer.json().get("entry", [])]


def touched(event: dict[str, Any]) -> list[str]:
    return [entity["what"]["reference"] for entity in event["entity"] if "reference" in entity.get("what", {})]


async def test_every_event_is_sound_r4(place: Place) -> None:
    refused = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/anna"},
    }
    assert (await place.ask("POST", "ServiceRequest", {**refused, "note": [{"text": "no"}]})).status_code == 422
    await place.found("Task?status=draft")
    found = await events(place, "_count=1000")
    assert {event["action"] for event in found} >= {"C", "R", "E"}
    for event in found:
        assert [issue for issue in check(event) if issue.severity in ("error", "fatal")] == []
        alone = await place.ask("GET", f"AuditEvent/{event['id']}", scopes=AUDITOR)
        assert alone.json() == event


async def test_a_search_that_disclosed_something_about_a_patient_is_found_by_the_patient(place: Place) -> None:
    assert len(await place.found("Task?patient=anna")) == 1
    about = await events(place, "patient=Patient/anna&_sort=date")
    assert [event["subtype"][0]["code"] for event in about][:3] == ["create", "create", "read"]
    searched = [event for event in about if event["subtype"][0]["code"] == "search"][-1:]
    assert any(reference.startswith("Task/") for reference in touched(searched[0]))
    assert "Patient/anna" in touched(searched[0])
    assert "Patient/bo" not in touched(searched[0])
    query = next(entity["query"] for entity in searched[0]["entity"] if "query" in entity)
    assert base64.b64decode(query).decode() == "Task?patient", "names of parameters, never values"


async def test_what_a_deleted_resource_told_is_still_found_by_its_patient(place: Place) -> None:
    task = {"resourceType": "Task", "status": "draft", "intent": "order", "for": {"reference": "Patient/bo"}}
    made = await place.make(task)
    assert (await place.ask("DELETE", f"Task/{made['id']}")).status_code == 204
    deleted = await events(place, "patient=bo&action=D")
    assert [touched(event)[0] for event in deleted] == [f"Task/{made['id']}/_history/2"]


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("subtype=http://hl7.org/fhir/restful-interaction|read", {"read"}),
        ("subtype=create,read", {"create", "read"}),
        ("action=C", {"create"}),
        ("entity=Patient/anna&action=C,U", {"create", "update"}),
        ("altid=his&action=R", {"read"}),
        ("outcome=4", {"create"}),
        ("site=order&type=rest&action=R", {"read"}),
    ],
)
async def test_a_parameter_finds_what_it_says(place: Place, query: str, codes: set[str]) -> None:
    found = await events(place, f"{query}&_count=500")
    assert found
    assert {event["subtype"][0]["code"] for event in found} <= codes


async def test_what_does_not_fit_is_not_found(place: Place) -> None:
    for query in (
        "site=report",
        "altid=nobody",
        "date=lt2020",
        "patient=nobody",
        "_id=r-1",
        "outcome=12",
        "agent=Practitioner/x",
    ):
        assert await events(place, query) == [], query


async def test_pages_by_date_are_exact_while_others_write(place: Place) -> None:
    for direction in ("date", "-date"):
        before = [event["id"] for event in await events(place, f"_sort={direction}&_count=1000")]
        seen: list[str] = []
        path = f"AuditEvent?_sort={direction}&_count=4"
        while path and not set(before) <= set(seen):
            answer = (await place.ask("GET", path, scopes=AUDITOR)).json()
            seen += [entry["resource"]["id"] for entry in answer["entry"]]
            following = [link["url"] for link in answer["link"] if link["relation"] == "next"]
            path = following[0].partition("/order/fhir/")[2] if following else ""
            assert (await place.ask("GET", "Patient/anna")).status_code == 200
        assert len(seen) == len(set(seen)), "nothing twice"
        assert set(before) <= set(seen), "nothing left out"


async def test_whoever_reads_the_trail_stands_in_it(place: Place) -> None:
    [first, *_] = await events(place, "_sort=-date&_count=1")
    [search] = await events(place, "_sort=-date&_count=1")
    assert f"AuditEvent/{first['id']}" in touched(search)


async def test_all_scopes_do_not_mean_the_audit_trail(place: Place) -> None:
    for scopes in (ALL, "system/*.rs", "system/AuditEvent.rs?action=R", "patient/AuditEvent.rs"):
        answer = await place.ask("GET", "AuditEvent", scopes=scopes)
        assert answer.status_code == 403, scopes
        assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "kernel.trail-scope-missing"


async def test_nobody_writes_the_trail(place: Place) -> None:
    event = (await events(place, "_count=1"))[0]
    for method, path in (
        ("POST", "AuditEvent"),
        ("PUT", f"AuditEvent/{event['id']}"),
        ("DELETE", f"AuditEvent/{event['id']}"),
    ):
        answer = await place.ask(method, path, event, scopes=f"{ALL} system/AuditEvent.cruds slipring/import")
        assert answer.status_code == 405, method
        assert "GET" in answer.headers["Allow"]


STRANGE = (
    "address=x",
    "agent-name=x",
    "patient:missing=true",
    "_sort=patient",
    "date=yesterday",
    "_count=x",
    "_total=x",
)


@pytest.mark.parametrize("query", STRANGE)
async def test_what_is_not_offered_is_refused_with_words(place: Place, query: str) -> None:
    answer = await place.ask("GET", f"AuditEvent?{query}", scopes=AUDITOR)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] or answer.json()["issue"][0]["diagnostics"]
