"""What a search answers over HTTP: matches, includes, parts of resources, links, and refusals that name what is valid."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from tests.fhir.conftest import small_service
from tests.fhir.place import Place, a_patient, a_request, a_task, opened

Bundle = dict[str, Any]
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
async def ward(data_dir: Path) -> AsyncIterator[Place]:
    """Two patients with requests, tasks and observations."""
    async with opened(data_dir, small_service(), pool_size=8) as street:
        place = street["order"]
        for name, birth in (("Zhang", "1950-02-03"), ("Wang", "1960")):
            patient = await place.make(a_patient(name=[{"family": name}], birthDate=birth))
            await _file(place, f"Patient/{patient['id']}", name)
        yield place


async def _file(place: Place, patient: str, name: str) -> None:
    request = await place.make(a_request(subject={"reference": patient}, note=[{"text": name}]))
    of_request = {"reference": f"ServiceRequest/{request['id']}"}
    await place.make(a_task(focus=of_request, **{"for": {"reference": patient}}))
    for number in (5, 50):
        await place.make(
            {
                "resourceType": "Observation",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": "14682-9"}], "text": "Creatinine"},
                "subject": {"reference": patient},
                "basedOn": [of_request],
                "valueQuantity": {
                    "value": number,
                    "unit": "µmol/L",
                    "system": "http://unitsofmeasure.org",
                    "code": "umol/L",
                },
            }
        )


async def bundle(place: Place, query: str, **around: Any) -> Bundle:
    response = await place.ask("GET", query, **around)
    assert response.status_code == 200, response.text
    found: Bundle = response.json()
    return found


def listed(found: Bundle, mode: str = "match") -> list[str]:
    return [e["resource"]["resourceType"] for e in found.get("entry", []) if e["search"]["mode"] == mode]


def issue(response: httpx.Response, status: int = 400) -> str:
    assert response.status_code == status, response.text
    issues = response.json()["issue"]
    return str(issues[0]["details"]["text"] + issues[0]["diagnostics"])


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("ServiceRequest?subject:Patient.name=zhang", 1),
        ("ServiceRequest?subject.name=zhang", 1),
        ("ServiceRequest?patient.birthdate=lt1955&patient.name=zhang", 1),
        ("ServiceRequest?patient.birthdate:missing=true", 0),
        ("Task?focus:ServiceRequest.subject:Patient.name=wang", 1),
        ("Task?focus:ServiceRequest.subject:Patient._id=none", 0),
        ("Patient?_has:Observation:subject:value-quantity=gt0.01|http://unitsofmeasure.org|mmol/L", 2),
        ("Patient?_has:Observation:subject:code=http://loinc.org|14682-9&name=wang", 1),
        ("Patient?_has:ServiceRequest:subject:_has:Task:focus:status=requested", 2),
        ("Patient?_has:ServiceRequest:subject:_has:Task:focus:status=completed", 0),
        ("Observation?based-on:ServiceRequest._has:Task:focus:patient.name=zhang", 2),
        ("Observation?code-value-quantity=14682-9$gt10||umol/L", 2),
        ("Observation?code:text=crea", 4),
        ("Observation?combo-code-value-quantity=http://loinc.org|14682-9$5", 2),
        ("Task?status:in=http://hl7.org/fhir/ValueSet/task-status", 2),
        ("Task?status:not-in=http://hl7.org/fhir/ValueSet/task-status", 0),
    ],
)
async def test_chains_and_has_find_through_references(ward: Place, query: str, count: int) -> None:
    assert len(listed(await bundle(ward, query))) == count


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("Task?fokus=1", "focus"),
        ("Task?focus:ServiceRequest.nam=1", "based-on"),
        ("Task?focus.name=x", "focus:Patient."),
        ("Task?focus:Media.status=x", "ServiceRequest"),
        ("Task?status.name=x", "focus"),
        ("Patient?_has:Observation:subject", "_has:Type:reference:parameter"),
        ("Patient?_has:Observation:code:status=x", "subject"),
        ("Patient?_has:Consent:patient:status=x", "Observation"),
        ("Patient?_has:DetectedIssue:implicated:_has:Task:patient:code=1", "DetectedIssue"),
        ("Task?code:in=http://none.example", "http://hl7.org/fhir/ValueSet/task-status"),
        ("Task?code:above=x", ":in"),
        ("Task?_text=x", "_profile"),
        ("Task?_content=x", "_profile"),
        ("Task?_filter=x", "_profile"),
        ("Task?_query=x", "_profile"),
        ("Task?_list=x", "_profile"),
        ("Task?_contained=true", "_profile"),
        ("Task?_elements=status,colour", "businessStatus"),
        ("Task?_include=Task:colour", "Task:focus"),
        ("Task?_include=Patient:link", ":iterate"),
        ("Patient?_revinclude=Task:colour", "Task:subject"),
        ("Patient?_include=Patient:organization", "ServiceRequest"),
        ("Task?_count=1&_count=2", "_count"),
        ("Task?_sort=status&_sort=code", "_sort"),
        ("Task?status=", "status"),
        ("Observation?value-quantity=5|mg", "number"),
        ("Observation?value-quantity=much", "number"),
        ("Observation?code-value-quantity=14682-9", "value-quantity"),
        ("Observation?_sort=code-value-quantity", "value-quantity"),
        ("Observation?_include=Observation:subject&_summary=text", "_summary"),
    ],
)
async def test_what_cannot_be_asked_is_refused_and_the_valid_named(ward: Place, query: str, named: str) -> None:
    assert named in issue(await ward.ask("GET", query))


async def test_a_lenient_search_says_what_it_left_out(ward: Place) -> None:
    found = await bundle(ward, "Task?fokus=1&status=requested", headers={"Prefer": "handling=lenient"})
    assert listed(found) == ["Task", "Task"]
    assert listed(found, "outcome") == ["OperationOutcome"]
    assert "fokus" in found["entry"][-1]["resource"]["issue"][0]["details"]["text"]
    assert "fokus" not in found["link"][0]["url"]


async def test_included_resources_come_once_and_are_marked(ward: Place) -> None:
    found = await bundle(ward, "Observation?_include=Observation:subject&_include=Observation:based-on")
    assert listed(found) == ["Observation"] * 4
    assert sorted(listed(found, "include")) == ["Patient", "Patient", "ServiceRequest", "ServiceRequest"]
    again = await bundle(ward, "Observation?_include=Observation:subject:Patient&_include=*")
    assert sorted(listed(again, "include")) == ["Patient", "Patient", "ServiceRequest", "ServiceRequest"]


async def test_iterating_includes_go_on_from_what_was_included(ward: Place) -> None:
    query = "Patient?name=zhang&_revinclude=ServiceRequest:subject&_revinclude:iterate=Task:focus"
    assert sorted(listed(await bundle(ward, query), "include")) == ["ServiceRequest", "Task"]
    query = "Task?_include=Task:focus&_include:iterate=ServiceRequest:subject"
    assert sorted(listed(await bundle(ward, query), "include")) == ["Patient"] * 2 + ["ServiceRequest"] * 2
    everything = await bundle(ward, "Patient?name=wang&_revinclude=*")
    assert sorted(listed(everything, "include")) == ["Observation", "Observation", "ServiceRequest", "Task"]


@pytest.mark.parametrize(
    "query",
    [
        "Task?focus:ServiceRequest.status=active",
        "Task?patient.name=x",
        "Task?_has:Observation:focus:status=x",
        "Task?_include=Task:focus:ServiceRequest",
        "Task?_include=Task:subject",
        "Task?_include=*",
        "Task?_revinclude=Observation:focus",
    ],
)
async def test_what_a_search_looks_into_must_be_allowed(ward: Place, query: str) -> None:
    refused = await ward.ask("GET", query, scopes="system/Task.rs")
    assert "system/" in issue(refused, 403)
    assert (await ward.ask("GET", query, scopes="system/*.rs")).status_code == 200


async def test_parts_of_resources_keep_their_characters(ward: Place) -> None:
    found = await bundle(ward, "Observation?_elements=valueQuantity&_include=Observation:subject")
    first = found["entry"][0]["resource"]
    assert set(first) == {"resourceType", "id", "meta", "status", "code", "valueQuantity"}
    assert first["meta"]["tag"][-1]["code"] == "SUBSETTED"
    assert "name" in next(e["resource"] for e in found["entry"] if e["search"]["mode"] == "include")
    summary = await bundle(ward, "ServiceRequest?_summary=true")
    assert all("note" not in entry["resource"] for entry in summary["entry"])
    assert all("note" in entry["resource"] for entry in (await bundle(ward, "ServiceRequest?_summary=data"))["entry"])


async def test_totals_are_told_as_asked(ward: Place) -> None:
    assert (await bundle(ward, "Observation"))["total"] == 4
    assert "total" not in await bundle(ward, "Observation?_count=1")
    assert "total" not in await bundle(ward, "Observation?_total=none")
    assert (await bundle(ward, "Observation?_count=1&_total=accurate"))["total"] == 4
    for counted in ("_count=0", "_summary=count"):
        found = await bundle(ward, f"Observation?code=14682-9&{counted}")
        assert (found["total"], "entry" in found) == (4, False)


async def test_a_posted_search_keeps_its_values_out_of_addresses(ward: Place) -> None:
    response = await ward.ask("POST", "Patient/_search?_count=1", "name=zhang,wang&birthdate=gt1900", headers=FORM)
    found = response.json()
    assert len(listed(found)) == 1
    links = {link["relation"]: link["url"] for link in found["link"]}
    assert dict(parse_qsl(urlsplit(links["self"]).query, keep_blank_values=True)) == {
        "_count": "1",
        "name": "",
        "birthdate": "",
    }
    assert not any(word in json.dumps(links) for word in ("zhang", "wang", "1900"))
    rest = await bundle(ward, links["next"].partition("/fhir/")[2])
    assert len(listed(rest)) == 1
    assert "next" not in {link["relation"] for link in rest["link"]}


async def test_the_self_link_says_what_was_understood(ward: Place) -> None:
    found = await bundle(ward, "Patient?name=zhang&_sort=-birthdate&_include=Patient:link")
    asked = parse_qsl(urlsplit(found["link"][0]["url"]).query)
    assert asked == [("name", "zhang"), ("_sort", "-birthdate"), ("_include", "Patient:link")]
