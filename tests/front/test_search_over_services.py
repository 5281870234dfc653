"""One search through the front whose answer lies with several services: chains, _has, includes, scopes."""

from __future__ import annotations

import pytest

from tests.front.hospital import (
    IMPORTING,
    His,
    Tree,
    a_patient,
    a_report,
    a_request,
    a_task,
    an_observation,
    fresh,
    included,
    matches,
    reference,
    to,
)
from tests.support.department import Department


@pytest.fixture(scope="module")
async def his(department: Department) -> His:
    return His(department, IMPORTING)


@pytest.fixture(scope="module")
async def story(his: His) -> dict[str, Tree]:
    """Two patients, each with a request and a report; one with results, a ward and an examining hospital."""
    hospital = await his.made({"resourceType": "Organization", "name": "Synthetic General"})
    practice = await his.made({"resourceType": "Organization", "name": "Synthetic Practice"})
    one = await his.made(a_patient("Ringwald", managingOrganization=to(hospital)))
    two = await his.made(a_patient("Ottesen", managingOrganization=to(practice)))
    doctor = await his.made({"resourceType": "Practitioner", "name": [{"family": "Demant"}]})
    first = await his.made(a_request(one, requester=to(doctor)))
    second = await his.made(a_request(two, requester=to(doctor)))
    finding = await his.made(an_observation(one, "imaging"))
    value = await his.made(an_observation(one))
    report = await his.made(a_report(first, result=[to(finding), to(value)]))
    other = await his.made(a_report(second))
    task = await his.made(a_task("hand-over", focus=to(report), **{"for": to(one)}))
    return {
        "hospital": hospital, "one": one, "two": two, "doctor": doctor, "first": first, "second": second,
        "finding": finding, "value": value, "report": report, "other": other, "task": task,
    }  # fmt: skip


async def found(his: His, path: str) -> list[str]:
    return sorted(reference(e["resource"]) for page in await his.pages(path) for e in matches(page))


def names(story: dict[str, Tree], *keys: str) -> list[str]:
    return sorted(reference(story[key]) for key in keys)


def test_the_story_lies_with_several_services(story: dict[str, Tree]) -> None:
    letters = {key: story[key]["id"][0] for key in ("one", "first", "finding", "value", "report", "task")}
    assert letters == {"one": "o", "first": "o", "finding": "r", "value": "o", "report": "r", "task": "r"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("DiagnosticReport?subject:Patient.name=ringwald", ["report"]),
        ("DiagnosticReport?patient.name=ottesen", ["other"]),
        ("DiagnosticReport?patient.name=ringwald,ottesen", ["report", "other"]),
        ("DiagnosticReport?patient.name:exact=ringwald", []),
        ("DiagnosticReport?subject:Patient.organization.name=synthetic%20general", ["report"]),
        ("DiagnosticReport?based-on:ServiceRequest.requester:Practitioner.name=demant&status=final", ["report", "other"]),
        ("DiagnosticReport?based-on:ServiceRequest.subject:Patient.organization.name=synthetic%20practice", ["other"]),
        ("DiagnosticReport?result.category=imaging", ["report"]),
        ("Task?focus:DiagnosticReport.patient.name=ringwald", ["task"]),
        ("Task?patient.name=nobody", []),
        ("Patient?_has:DiagnosticReport:patient:status=final&name=ring", ["one"]),
        ("Patient?_has:Observation:patient:category=imaging&name=ringwald,ottesen", ["one"]),
        ("Patient?_has:DiagnosticReport:subject:_has:Task:focus:code=hand-over&name=ringwald,ottesen", ["one"]),
        ("ServiceRequest?subject:Patient.name=ringwald", ["first"]),
        ("ServiceRequest?_has:DiagnosticReport:based-on:patient.name=ottesen", ["second"]),
    ],
)  # fmt: skip
async def test_chains_and_has_cross_the_services(
    his: His, story: dict[str, Tree], query: str, expected: list[str]
) -> None:
    assert await found(his, query) == names(story, *expected)
    path, _, form = query.partition("?")
    posted = await his.ask("POST", f"{path}/_search", form, Content_Type="application/x-www-form-urlencoded")
    assert posted.status_code == 200, posted.text
    assert sorted(reference(e["resource"]) for e in matches(posted.json())) == names(story, *expected)
    assert "ringwald" not in str(posted.json()["link"]).lower()


async def test_what_a_page_refers_to_comes_along_once_whoever_keeps_it(his: His, story: dict[str, Tree]) -> None:
    one = story["one"]["id"]
    query = f"DiagnosticReport?patient={one}&_include=DiagnosticReport:subject&_include=DiagnosticReport:patient"
    assert included(await his.bundle(query)) == names(story, "one")
    query = f"DiagnosticReport?patient={one}&_include=DiagnosticReport:result"
    assert included(await his.bundle(query)) == names(story, "finding", "value")
    query = f"DiagnosticReport?patient={one}&_include=*&_include:iterate=Patient:organization"
    bundle = await his.bundle(query)
    assert included(bundle) == names(story, "one", "first", "finding", "value", "hospital")
    assert bundle["total"] == 1
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(urls) == len(set(urls)) == 6
    assert all(url.startswith("http://127.0.0.1:8100/fhir/") for url in urls)


async def test_what_refers_to_a_page_comes_along_whoever_keeps_it(his: His, story: dict[str, Tree]) -> None:
    query = f"Patient?_id={story['one']['id']}&_revinclude=Observation:subject&_revinclude=DiagnosticReport:patient"
    assert included(await his.bundle(query)) == names(story, "finding", "value", "report")
    query = f"Patient?_id={story['one']['id']}&_revinclude=DiagnosticReport:patient&_revinclude:iterate=Task:focus"
    assert included(await his.bundle(query)) == names(story, "report", "task")


async def test_includes_go_along_with_every_page(his: His, story: dict[str, Tree]) -> None:
    query = "DiagnosticReport?patient.name=ringwald,ottesen&_sort=patient.none"
    assert (await his.ask("GET", query)).status_code == 400
    pages = await his.pages("DiagnosticReport?patient.name=ringwald,ottesen&_count=1&_include=DiagnosticReport:patient")
    assert [len(matches(page)) for page in pages] == [1, 1]
    assert sorted(name for page in pages for name in included(page)) == names(story, "one", "two")


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("DiagnosticReport?subject:Patient.shoe=1", "http.shoe"),
        ("DiagnosticReport?subject:Claim.name=1", "http.subject"),
        ("DiagnosticReport?patient.birthdate=soon", "http.birthdate"),
        ("DiagnosticReport?_include=DiagnosticReport:shoe", "http._include"),
        ("DiagnosticReport?_include=Claim:patient", "http._include"),
        ("DiagnosticReport?_include=DiagnosticReport:subject:Encounter", "http._include"),
        ("DiagnosticReport?_revinclude=Task:shoe", "http._revinclude"),
        ("Patient?_has:DiagnosticReport:shoe:status=final", "http._has"),
        ("Patient?_has:DiagnosticReport:subject:shoe=final", "http.shoe"),
        ("DiagnosticReport?shoe.name=1", "http.shoe.name"),
        ("Task?shoe=1", "http.shoe"),
        ("Task?_sort=shoe", "http._sort"),
    ],
)
async def test_what_no_parameter_means_is_refused_in_both_languages(his: His, query: str, place: str) -> None:
    answer = await his.ask("GET", query)
    assert answer.status_code == 400, answer.text
    issue = answer.json()["issue"][0]
    assert issue["expression"] == [place]
    assert issue["details"]["text"] and issue["diagnostics"]


async def test_every_step_sees_what_the_caller_may_see(department: Department, story: dict[str, Tree]) -> None:
    narrow = His(department, "system/DiagnosticReport.rs")
    assert (await narrow.ask("GET", f"DiagnosticReport?patient={story['one']['id']}")).status_code == 200
    for query in (
        "DiagnosticReport?patient.name=ringwald",
        f"DiagnosticReport?patient={story['one']['id']}&_include=DiagnosticReport:patient",
        f"DiagnosticReport?patient={story['one']['id']}&_revinclude=Task:focus",
    ):
        assert (await narrow.ask("GET", query)).status_code == 403


async def test_a_step_that_matches_too_many_is_refused_by_name(his: His, department: Department) -> None:
    family = fresh("Crowd")
    everybody = [{"resource": a_patient(family), "request": {"method": "POST", "url": "Patient"}} for _ in range(501)]
    answer = await his.ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": everybody})
    assert answer.status_code == 200
    answer = await his.ask("GET", f"DiagnosticReport?patient.name={family}")
    assert answer.status_code == 400
    [issue] = answer.json()["issue"]
    assert (issue["code"], issue["expression"]) == ("too-costly", ["http.patient"])
    assert "patient.name" in issue["diagnostics"] and family not in answer.text
