"""Before release a report and all its parts are seen by the department only, on every road, here and at the front.

One walk over all of them: what the HIS is told of a draft differs in nothing from what it is told of no report at all.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from slipring.identity.clients import DEMO_DEPARTMENT
from slipring.signing.jws import jws_sha256

from tests.support.department import Department
from tests.support.draft import Walk, a_walk
from tests.support.draft_roads import BASES, by_address, by_condition, by_copies, by_search


@pytest.fixture(scope="module")
async def walk(department: Department) -> AsyncIterator[Walk]:
    """A report signed once, flagged, with a text check and a document beside it."""
    async with a_walk(department) as walking:
        yield walking


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
