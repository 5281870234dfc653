"""The reading of an exam: opened by acquisition, followed through everything that order tells, closed by the report (5.8.1)."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Arrival, Write
from slipring_report.handlers import reading_tasks, work_tasks
from slipring_report.worklist.issuing import report_moved

sys.path.insert(0, str(Path(__file__).parent))
from worklist_room import NINE, PATIENT, READING, REQUEST, WorklistRoom, an_exam, what


@pytest.mark.clause("5.8.1")
async def test_an_acquired_exam_opens_one_reading_with_its_deadline_its_figure_and_its_source() -> None:
    room = WorklistRoom()
    await room.told(an_exam("in-progress"))
    assert READING not in room.desk.held
    await room.told(an_exam(priority="stat"))
    task = room.reading
    assert room.state == ["unread", "running"] and task["status"] == "ready"
    assert task["restriction"]["period"] == {"start": "2026-03-02T01:00:00.000Z", "end": "2026-03-02T01:30:00.000Z"}
    figure = what(task, "input")
    assert figure["clock"] == "green-channel" and figure["clock-minutes"]["value"] == 30
    assert "5.8.1" in figure["clock-source"] and figure["clock-confirmed"] is True
    assert (await room.told(an_exam(priority="stat"))).nothing, "told again, nothing changes"


@pytest.mark.clause("5.8.1")
async def test_a_clock_warns_once_is_breached_once_and_says_nothing_about_the_patient() -> None:
    room = WorklistRoom()
    await room.told(an_exam(priority="stat"))
    await room.wait(19)
    assert not room.records("reporting-time-warning")
    await room.wait(1)
    [warning] = room.records("reporting-time-warning")
    assert room.state == ["unread", "warned"] and not room.records("reporting-time-breached")
    await room.wait(10)
    [breach] = room.records("reporting-time-breached")
    assert room.state == ["unread", "breached"] and what(room.reading)["breached-at"] == "2026-03-02T01:30:00.000Z"
    await room.wait(600)
    assert len(room.records("reporting-time-warning")) == len(room.records("reporting-time-breached")) == 1
    for record in (warning, breach):
        told = json.dumps(record, ensure_ascii=False)
        assert PATIENT not in told and REQUEST not in told and "patient" not in record
        assert record["implicated"] == [{"reference": READING}] and "09:30" in record["detail"]


@pytest.mark.clause("5.8.1")
@pytest.mark.parametrize(("after", "in_time"), [(29, True), (31, False)])
async def test_the_report_stops_the_clock_and_a_late_one_stays_late(after: int, in_time: bool) -> None:
    room = WorklistRoom()
    await room.told(an_exam(priority="stat"))
    await room.wait(after)
    report = room.issued(room.desk.now)
    room.carried(await report_moved(report.resource, room.desk))
    assert room.state == ["reported", "kept" if in_time else "breached"] and room.reading["status"] == "completed"
    assert what(room.reading)["in-time"] is in_time and not room.timers
    room.carried(await report_moved({**report.resource, "status": "amended"}, room.desk))
    await room.wait(600)
    assert len(room.records("reporting-time-breached")) == (0 if in_time else 1)


async def test_an_exam_acquired_before_its_request_arrived_is_late_from_the_beginning_and_on_record() -> None:
    room = WorklistRoom()
    await room.told(
        an_exam(priority="stat", ended=NINE - timedelta(hours=3), focus={"reference": "ServiceRequest/o-later"})
    )
    assert room.state == ["unread", "breached"] and len(room.records("reporting-time-breached")) == 1
    assert not room.records("reporting-time-warning") and not room.timers


async def test_an_exam_scanned_anew_waits_for_its_images_and_gets_a_clock_of_their_time() -> None:
    room = WorklistRoom()
    await room.told(an_exam(priority="stat"))
    await room.wait(25)
    await room.told(an_exam("arrived", priority="stat"))
    assert room.state == ["awaiting-images", "stopped"] and not room.timers and "owner" not in room.reading
    await room.wait(120)
    assert not room.records("reporting-time-breached"), "nobody is late with images that are not there"
    await room.told(an_exam(priority="stat", ended=room.desk.now))
    assert room.state == ["unread", "running"]
    await room.wait(30)
    assert room.state == ["unread", "breached"]


@pytest.mark.parametrize("state", ["cancelled", "discontinued"])
async def test_a_cancelled_exam_is_not_read_and_a_breach_before_it_stays_on_record(state: str) -> None:
    room = WorklistRoom()
    await room.told(an_exam(priority="stat"))
    await room.wait(31)
    await room.told(an_exam(state, priority="stat"))
    assert room.state == ["cancelled", "stopped"] and room.reading["status"] == "cancelled"
    assert len(room.records("reporting-time-breached")) == 1


async def test_another_priority_is_another_clock_and_its_deadline_counts() -> None:
    room = WorklistRoom()
    await room.told(an_exam())
    assert room.reading["restriction"]["period"]["end"] == "2026-03-02T06:30:00.000Z"
    await room.wait(5)
    await room.told(an_exam(priority="stat"))
    assert (
        room.reading["priority"] == "stat"
        and room.reading["restriction"]["period"]["end"] == "2026-03-02T01:30:00.000Z"
    )
    await room.wait(16)
    assert room.state == ["unread", "warned"]


async def test_an_encounter_that_arrives_later_turns_an_ordinary_exam_into_an_emergency() -> None:
    room = WorklistRoom()
    await room.told(an_exam(encounter={"reference": "Encounter/o-e"}))
    encounter = {"resourceType": "Encounter", "id": "o-e", "status": "in-progress", "class": {"code": "EMER"}}
    stored = room.desk.hold(encounter, source="order")
    room.carried(await reading_tasks.encounter_arrived(Arrival("order", encounter, stored.version), room.desk))
    assert what(room.reading, "input")["clock"] == "emergency"
    assert room.reading["restriction"]["period"]["end"] == "2026-03-02T02:50:00.000Z"


async def test_a_report_that_was_out_before_anybody_said_acquired_leaves_nothing_to_read() -> None:
    room = WorklistRoom()
    room.issued(NINE + timedelta(minutes=5))
    await room.told(an_exam(priority="stat"))
    assert room.state == ["reported", "kept"] and not room.timers


async def test_a_withdrawn_report_puts_the_exam_back_on_the_list_with_the_deadline_it_had() -> None:
    room = WorklistRoom()
    await room.told(an_exam(priority="stat"))
    await room.wait(20)
    report = room.issued(room.desk.now)
    room.carried(await report_moved(report.resource, room.desk))
    withdrawn = room.issued(room.desk.now, "entered-in-error")
    room.carried(await report_moved(withdrawn.resource, room.desk))
    assert room.state[0] == "unread" and "issued" not in what(room.reading)
    await room.wait(10)
    assert room.state == ["unread", "breached"]


async def test_a_timer_that_fires_after_the_report_went_out_breaches_nothing() -> None:
    room = WorklistRoom()
    await room.told(an_exam(priority="stat"))
    room.issued(NINE + timedelta(minutes=12))  # released, and order has not told of it yet
    await room.wait(45)
    assert room.state == ["reported", "kept"] and not room.records("reporting-time-breached")


async def test_nobody_writes_a_reading_by_hand() -> None:
    room = WorklistRoom()
    await room.told(an_exam())
    with pytest.raises(FhirError) as refused:
        await work_tasks.task_written(Write("update", room.reading, room.desk.held[READING]), room.desk)
    [issue] = refused.value.issues
    assert (issue.detail, issue.at) == ("report.work-by-operation", "Task.code") and issue.zh
