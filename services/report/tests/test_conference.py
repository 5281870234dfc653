"""The weekly conference: planned, attended, its cases concluded, its results in the reports (5.7.1, 5.6.1, 5.1.8)."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.service import Changes, Due
from slipring_report.handlers import conference_cases, conferences
from slipring_report.reading import composition_of

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, REPORT, REVIEWER, TRAINEE
from work_room import WorkRoom, code, ref, state, text

START = {"valueDateTime": "2026-03-04T08:00:00+08:00"}
RESULT = text("Favour <organising> pneumonia.\nCT in six weeks.")


@pytest.fixture
async def room(tmp_path: Path) -> WorkRoom:
    """A draft with a text."""
    made = WorkRoom(tmp_path)
    await made.texted()
    return made


async def planned(room: WorkRoom) -> str:
    task = await room.act(conferences.conference_planned, chair=ref(REVIEWER), start=START, place=text("阅片室"))
    return f"Task/{task['id']}"


async def listed(room: WorkRoom, conference: str) -> str:
    case = await room.act(
        conferences.case_listed, conference, by=AUTHOR, report=ref(REPORT), question=text("infection?")
    )
    return f"Task/{case['id']}"


async def attended(room: WorkRoom, conference: str, *people: str) -> None:
    await room.act(conferences.people_attended, conference, by=REVIEWER, person=[ref(one) for one in people])


@pytest.mark.clause("5.1.8")
@pytest.mark.clause("5.7.1")
async def test_a_conference_is_held_with_people_and_cases_and_both_stay_on_record(room: WorkRoom) -> None:
    conference = await planned(room)
    case = await listed(room, conference)
    alone = await room.refused(conferences.conference_closed, conference, by=REVIEWER)
    assert alone == (422, "report.conference-alone", "Task.input.where(type.coding.code='attendee')")
    await attended(room, conference, AUTHOR, TRAINEE, AUTHOR)
    held = await room.act(conferences.conference_closed, conference, by=REVIEWER)
    people = [one["valueReference"]["reference"] for one in held["input"]]
    assert (state(held), held["status"]) == ("held", "completed") and people == [AUTHOR, TRAINEE, REVIEWER]
    assert state(room.desk.held[case].resource) == "put-off", "a case that was not reached waits for the next one"
    late = await room.refused(conferences.people_attended, conference, by=REVIEWER, person=[ref(AUTHOR)])
    assert late == (409, "report.conference-illegal-move", "Task.businessStatus")
    answer = await room.act(conferences.attendance_asked)
    assert [one for one in answer["parameter"] if one["name"] == "held"] == [{"name": "held", "valueInteger": 1}]
    assert len([one for one in answer["parameter"] if one["name"] == "person"]) == 3
    before = {"valuePeriod": {"start": "2026-03-01", "end": "2026-03-03"}}
    assert (await room.act(conferences.attendance_asked, period=before))["parameter"] == [
        {"name": "held", "valueInteger": 0}
    ]


@pytest.mark.clause("5.6.1")
async def test_a_result_goes_into_the_text_of_a_draft(room: WorkRoom) -> None:
    conference = await planned(room)
    case = await listed(room, conference)
    said: dict[str, Any] = {"result": RESULT, "fold": code("report")}
    nobody = await room.refused(conference_cases.case_concluded, case, by=REVIEWER, **said)
    assert nobody == (422, "report.case-without-people", "Task.partOf")
    await attended(room, conference, AUTHOR)
    done = await room.act(conference_cases.case_concluded, case, by=REVIEWER, **said)
    assert state(done) == "concluded" and not [
        one for one in done["output"] if "valueReference" in one and "Report" in str(one)
    ]
    sections = room.desk.held[composition_of(room.report().resource)].resource["section"]
    assert sections[0]["title"] == "Findings" and "科内讨论意见（2026-03-02）" in sections[1]["title"]
    assert "Favour &lt;organising&gt; pneumonia.<br/>CT" in sections[1]["text"]["div"]
    await room.release()
    assert room.status == "final" and (await room.verified())[0]


@pytest.mark.clause("5.6.1")
async def test_a_result_on_a_released_report_is_a_proposal_to_append_that_two_sign(room: WorkRoom) -> None:
    await room.release()
    conference = await planned(room)
    case = await listed(room, conference)
    await attended(room, conference, AUTHOR)
    done = await room.act(conference_cases.case_concluded, case, by=REVIEWER, result=RESULT, fold=code("report"))
    [draft] = [
        one["valueReference"]["reference"] for one in done["output"] if one["type"]["coding"][0]["code"] == "draft"
    ]
    assert room.status == "final" and room.desk.held[draft].resource["status"] == "partial"
    text_of_draft = room.desk.held[composition_of(room.desk.held[draft].resource)].resource
    assert "organising" in text_of_draft["section"][-1]["text"]["div"]
    assert len(room.desk.held[composition_of(room.report().resource)].resource["section"]) == 1
    room.at = draft
    await room.release()
    assert room.desk.held[REPORT].resource["status"] == "appended"


async def test_a_result_never_touches_what_one_has_signed_and_may_stay_outside(room: WorkRoom) -> None:
    conference = await planned(room)
    case = await listed(room, conference)
    await attended(room, conference, AUTHOR)
    await room.sign(AUTHOR, "author")
    said: dict[str, Any] = {"result": RESULT}
    refused = await room.refused(conference_cases.case_concluded, case, by=REVIEWER, fold=code("report"), **said)
    assert refused == (409, "report.conference-not-folded", "DiagnosticReport.status")
    assert state(await room.act(conference_cases.case_concluded, case, by=REVIEWER, **said)) == "concluded"
    assert room.status == "preliminary" and (await room.verified())[0]


async def test_a_draft_without_text_takes_no_result(tmp_path: Path) -> None:
    room = WorkRoom(tmp_path)
    await room.draft()
    conference = await planned(room)
    case = await listed(room, conference)
    await attended(room, conference, AUTHOR)
    refused = await room.refused(conference_cases.case_concluded, case, by=REVIEWER, result=RESULT, fold=code("report"))
    assert refused == (409, "report.conference-no-text", "DiagnosticReport.extension")


async def test_what_a_conference_is_not_told_is_refused_at_its_element(room: WorkRoom) -> None:
    conference = await planned(room)
    await listed(room, conference)
    twice = {"report": ref(REPORT), "question": text("again?")}
    assert await room.refused(conferences.case_listed, conference, by=AUTHOR, **twice) == (
        409, "report.conference-case-listed", "Parameters.parameter[1]",
    )  # fmt: skip
    unknown = {"report": ref("DiagnosticReport/r-none"), "question": text("?")}
    assert (await room.refused(conferences.case_listed, conference, by=AUTHOR, **unknown))[
        1
    ] == "report.conference-report-unknown"
    stranger = await room.refused(
        conferences.people_attended, conference, by=REVIEWER, person=[ref("Practitioner/o-none")]
    )
    assert stranger[1] == "report.attendee-unknown" and "[0]" in stranger[2]
    assert (await room.refused(conferences.people_attended, conference, by=REVIEWER))[1] == "report.attendee-missing"
    when = {"valueDateTime": "2026-03-04"}
    assert (await room.refused(conferences.conference_planned, chair=ref(REVIEWER), start=when))[
        1
    ] == "report.conference-start"
    junior = await room.refused(conferences.conference_planned, chair=ref(TRAINEE), start=START)
    assert junior[1].startswith("staff.")


@pytest.mark.clause("5.7.1")
async def test_a_week_without_a_conference_is_on_record_and_watched_on(room: WorkRoom) -> None:
    first = await room.acted(conferences.conference_planned, chair=ref(REVIEWER), start=START)
    [wake] = first.wake
    assert wake.after == timedelta(days=8), "a week, and a day of grace"
    due = Due(wake.name, wake.subject, wake.key, room.desk.now, {})
    missed: Changes = await conferences.conference_due(due, room.desk)
    room.desk.carry_out(missed)
    [issue] = room.kept("DetectedIssue")
    assert issue["code"]["coding"][0]["code"] == "report.conference-weekly" and missed.wake[0].key == wake.key
    conference = await planned(room)
    await attended(room, conference, AUTHOR)
    held = await room.acted(conferences.conference_closed, conference, by=REVIEWER)
    assert held.wake[0].key == wake.key, "the next week begins anew"
