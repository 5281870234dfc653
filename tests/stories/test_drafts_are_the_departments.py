"""Before release a report and all its parts are seen by the department only, on every road, here and at the front.

One walk over all of them: what the HIS is told of a draft differs in nothing from what it is told of no report at all.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from slipring.identity.clients import DEMO_DEPARTMENT
from slipring.signing.jws import jws_sha256

from tests.support.department import Department
from tests.support.draft import Walk, a_walk

BASES = ("/fhir", "/report/fhir")
NEVER = "r-00000000-0000-4000-8000-000000000000"
PATCH = {"Content-Type": "application/json-patch+json"}
Tree = dict[str, Any]


@pytest.fixture(scope="module")
async def walk(department: Department) -> AsyncIterator[Walk]:
    """A report signed once, flagged, with a text check and a document beside it."""
    async with a_walk(department) as walking:
        yield walking


async def absent(walk: Walk, method: str, path: str, reference: str, body: Any = None, **headers: str) -> None:
    """The same answer as about what never was."""
    told = []
    kind, _, name = reference.partition("/")
    for one in (name, NEVER):
        sent = json.loads(json.dumps(body).replace("ID", one)) if body is not None else None
        answer = await walk.ask(method, path.replace("REF", f"{kind}/{one}"), sent, **headers)
        told.append((answer.status_code, answer.text.replace(one, "ID"), answer.headers.get("etag")))
    assert told[0] == told[1], (method, path, reference)
    assert told[0][0] in (404, 412), told[0]


async def by_address(walk: Walk) -> None:
    for base in BASES:
        for reference in walk.everything:
            kind = reference.partition("/")[0]
            whole = json.loads(await walk.seen(f"{base}/{reference}"))
            for query in ("", "?_summary=true", "?_elements=status"):
                await absent(walk, "GET", f"{base}/REF{query}", reference)
            await absent(walk, "HEAD", f"{base}/REF", reference)
            await absent(walk, "GET", f"{base}/REF", reference, **{"If-None-Match": 'W/"1"'})
            await absent(walk, "GET", f"{base}/REF/_history/1", reference)
            await absent(walk, "GET", f"{base}/REF/_history", reference)
            await absent(walk, "GET", f"{base}/REF/$meta", reference)
            await absent(walk, "PUT", f"{base}/REF", reference, {**whole, "id": "ID"}, **{"If-Match": 'W/"1"'})
            await absent(walk, "PATCH", f"{base}/REF", reference, [], **PATCH)
            await absent(walk, "DELETE", f"{base}/REF", reference)
            for kindof in ("batch", "transaction"):
                for url in (reference, f"{reference}/_history/1", f"{kind}?_id={reference.partition('/')[2]}"):
                    bundle = {
                        "resourceType": "Bundle",
                        "type": kindof,
                        "entry": [{"request": {"method": "GET", "url": url}}],
                    }
                    await nothing(walk, await walk.ask("POST", base, bundle))
        for operation in ("$verify", "$signing-input", "$sign", "$flag-critical"):
            role = [{"name": "role", "valueCode": "author"}, {"name": "jws", "valueString": "x"}]
            role.append({"name": "finding", "valueCoding": {"code": "x"}})  # type: ignore[dict-item]
            await absent(
                walk, "POST", f"{base}/REF/{operation}", walk.report, {"resourceType": "Parameters", "parameter": role}
            )


async def nothing(walk: Walk, answer: httpx.Response) -> None:
    """An answer that names nothing of the draft, beyond what was asked with."""
    found = [entry["resource"] for entry in answer.json().get("entry", []) if "resource" in entry]
    # The link of a search inside a Bundle repeats what was asked; a case and its hand-over name what they are about.
    parts = [one for one in found if one["resourceType"] not in ("Task", "Communication")]
    said = json.dumps([{name: value for name, value in one.items() if name != "link"} for one in parts])
    for reference in walk.everything:
        assert reference.partition("/")[2] not in said, (answer.url, reference)


def searches(walk: Walk) -> list[str]:
    ids = {
        kind: []
        for kind in (
            "DiagnosticReport",
            "Composition",
            "Observation",
            "Provenance",
            "DetectedIssue",
            "DocumentReference",
        )
    }
    for reference in walk.everything:
        kind, _, name = reference.partition("/")
        ids[kind].append(name)
    found = [f"{kind}?_id={','.join(names)}" for kind, names in ids.items()]
    found += [f"{kind}?_sort=-_lastUpdated&_count=500" for kind in ids]
    report = walk.report
    return [
        *found,
        f"DiagnosticReport?subject={walk.patient}&_sort=date&_elements=status",
        f"DiagnosticReport?status=preliminary&subject={walk.patient}",
        f"Observation?focus={report}",
        f"Provenance?target={report}",
        f"DetectedIssue?implicated={report}",
        f"DocumentReference?related={report}",
        f"DiagnosticReport?_has:Provenance:target:_id={ids['Provenance'][0]}",
        f"Composition?subject={walk.patient}&_revinclude=Provenance:target",
        f"Provenance?target.status=preliminary&target:DiagnosticReport._id={report.partition('/')[2]}",
        f"Provenance?target:DiagnosticReport.status=preliminary&target={report}",
        f"DetectedIssue?implicated:DiagnosticReport.subject={walk.patient}",
    ]


async def by_search(walk: Walk) -> None:
    for base in BASES:
        for search in searches(walk):
            answer = await walk.ask("GET", f"{base}/{search}")
            if answer.status_code == 400:
                assert (await walk.story.department.his.get(f"{base}/{search}")).status_code == 400
                continue
            assert answer.status_code == 200, answer.text
            await nothing(walk, answer)
            if "_id=" in search and "_has" not in search and "target" not in search:
                for counting in ("_summary=count", "_total=accurate", "_count=0"):
                    assert (await walk.ask("GET", f"{base}/{search}&{counting}")).json()["total"] == 0
                kind, _, query = search.partition("?")
                form = {"Content-Type": "application/x-www-form-urlencoded"}
                posted = await walk.his.post(f"{base}/{kind}/_search", content=query, headers=form)
                assert posted.json()["total"] == 0
        for history in (
            "_history?_count=1000",
            "DiagnosticReport/_history?_count=1000",
            "Provenance/_history?_count=500",
        ):
            await nothing(walk, await walk.ask("GET", f"{base}/{history}"))
    patient = walk.patient
    for path in (
        f"/fhir/{patient}/$everything?_count=500",
        f"/report/fhir/{patient}/$everything?_count=500",
        f"/fhir/Patient?_id={patient.partition('/')[2]}&_revinclude=DiagnosticReport:subject&_revinclude:iterate=Provenance:target",
        f"/fhir/Patient?_id={patient.partition('/')[2]}&_revinclude=Observation:subject",
        f"/fhir/ServiceRequest?subject={patient}&_revinclude=DiagnosticReport:based-on&_include:iterate=DiagnosticReport:result",
        "/fhir/Task?code=critical-case&_include=Task:focus",
        "/fhir/Communication?_include=*&_count=100",
    ):
        await nothing(walk, await walk.ask("GET", path))


async def by_copies(walk: Walk) -> None:
    """Chains through copies that other services follow are no way round."""
    request = walk.story.cast.request["id"]
    for path in (
        f"/order/fhir/ServiceRequest?_id={request}&_has:DiagnosticReport:based-on:status=preliminary",
        f"/fhir/ServiceRequest?_id={request}&_has:DiagnosticReport:based-on:status=preliminary",
        f"/critical/fhir/Task?code=critical-case&focus:Observation._id={walk.flag.partition('/')[2]}",
        f"/fhir/Task?code=critical-case&focus:Observation._id={walk.flag.partition('/')[2]}",
    ):
        answer = await walk.ask("GET", path)
        assert answer.status_code == 200 and not answer.json().get("entry"), path
        assert json.loads(await walk.seen(path)).get("entry"), path


async def by_condition(walk: Walk) -> None:
    name = walk.report.partition("/")[2]
    for base in BASES:
        for method, body, headers in (("PATCH", [], PATCH), ("DELETE", None, {})):
            for query in (f"DiagnosticReport?_id={name}", f"Provenance?target={walk.report}"):
                answer = await walk.ask(method, f"{base}/{query}", body, **headers)
                assert answer.status_code in (204, 404) and name not in answer.text.replace(query, ""), answer.text
    before = json.loads(await walk.seen(f"/report/fhir/{walk.report}"))
    assert before["status"] == "preliminary"


async def test_nobody_else_sees_a_draft_on_any_road(walk: Walk) -> None:
    await by_address(walk)
    await by_search(walk)
    await by_copies(walk)
    await by_condition(walk)


async def test_a_critical_flag_is_shown_to_those_who_may_be_told(walk: Walk) -> None:
    department = walk.story.department
    may = department.client(DEMO_DEPARTMENT, "system/*.rs may-receive-critical")
    assert (await may.get(f"/fhir/{walk.flag}")).status_code == 200
    assert (await may.get(f"/fhir/{walk.report}")).status_code == 404
    for part in walk.parts:
        assert (await may.get(f"/fhir/{part}")).status_code == 404
    found = (await may.get(f"/fhir/Observation?focus={walk.report}")).json()
    assert [entry["resource"]["id"] for entry in found["entry"]] == [walk.flag.partition("/")[2]]
    await may.aclose()


async def test_what_is_released_is_seen_with_all_its_parts_and_nothing_of_before(walk: Walk) -> None:
    story = walk.story
    drafts = json.loads(await walk.seen(f"/report/fhir/{walk.report}"))["meta"]["versionId"]
    [first] = await story.department.found(f"Provenance?target={walk.report}")
    jws = base64.b64decode(first["signature"][0]["data"]).decode()
    second = await story.jws(walk.report, "second reader", "reviewer", jws_sha256(jws))
    assert (await story.signed(walk.report, second, "reviewer")).is_success
    for base in BASES:
        for reference in walk.everything:
            answer = await walk.ask("GET", f"{base}/{reference}")
            assert answer.status_code == 200, (base, reference)
        # A part that stood unchanged is shown as it was released; a version from before is not.
        assert (await walk.ask("GET", f"{base}/{walk.parts[0]}/_history/1")).status_code == 200
        for number in range(1, int(drafts) + 1):
            assert (await walk.ask("GET", f"{base}/{walk.report}/_history/{number}")).status_code == 404
        told = (await walk.ask("GET", f"{base}/{walk.report}/_history")).json()
        assert [entry["resource"]["status"] for entry in told["entry"]] == ["final"]
        assert told["total"] == 1
    assert (await walk.ask("POST", f"/fhir/{walk.report}/$verify")).json()["parameter"][0]["valueBoolean"] is True


async def test_an_amendment_is_a_draft_beside_the_report_that_others_go_on_reading(walk: Walk) -> None:
    """Needs the report released by the story above."""
    story, released = walk.story, json.loads(await walk.seen(f"/report/fhir/{walk.report}"))
    assert released["status"] == "final"
    draft, text = await story.amended(walk.report)
    composition = json.loads(await walk.seen(f"/report/fhir/{text}"))
    changed = {**composition, "title": "corrected"}
    answer = await story.department.put(changed, If_Match=f'W/"{composition["meta"]["versionId"]}"')
    assert answer.status_code == 200, answer.text
    story.department.clock.advance(timedelta(minutes=1))
    await story.department.fresh()
    first = await story.jws(draft, "first reader", "author")
    assert (await story.signed(draft, first, "author")).is_success
    [provenance] = await story.department.found(f"Provenance?target={draft}")
    hidden = replace(walk, report=draft, flag=draft, parts=[text, f"Provenance/{provenance['id']}"])
    await by_address(hidden)
    await by_search(hidden)
    await by_condition(hidden)
    for base in BASES:
        for reference in walk.everything:
            assert (await walk.ask("GET", f"{base}/{reference}")).status_code == 200, reference
        assert (await walk.ask("GET", f"{base}/{walk.report}")).json()["meta"] == released["meta"]
    told = (await walk.ask("GET", f"/fhir/DiagnosticReport?subject={walk.patient}")).json()
    assert [entry["resource"]["id"] for entry in told["entry"]] == [released["id"]]

    # Released, it is the report, with its text and its signatures; the version of before keeps its own.
    second = await story.jws(draft, "second reader", "reviewer", jws_sha256(first))
    assert (await story.signed(draft, second, "reviewer")).is_success
    version = int(released["meta"]["versionId"])
    for base in BASES:
        for reference in (*walk.everything, text, *hidden.parts):
            assert (await walk.ask("GET", f"{base}/{reference}")).status_code == 200, (base, reference)
        now = (await walk.ask("GET", f"{base}/{walk.report}")).json()
        assert now["status"] == "corrected" and now["meta"]["versionId"] == str(version + 1)
        assert (await walk.ask("GET", f"{base}/{walk.report}/_history/{version}")).json() == released
        for gone in (draft, f"{draft}/_history/1", f"{draft}/_history"):
            assert (await walk.ask("GET", f"{base}/{gone}")).status_code == 404, gone
        told = (await walk.ask("GET", f"{base}/{walk.report}/_history")).json()
        assert [entry["resource"]["status"] for entry in told["entry"]] == ["corrected", "final"]
