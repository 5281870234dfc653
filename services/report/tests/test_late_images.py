"""Images that arrive after signing: a Task that somebody must settle, unchanged or by an amendment (5.8.1, 5.9.1)."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.service import Arrival, Due, Resource
from slipring_report.handlers import late_images
from slipring_report.late_images.arriving import news
from slipring_report.worklist.work_task import TIMER, timer_of, work_overdue

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, PATIENT, REPORT, REQUEST, REVIEWER, TRAINEE
from work_room import WorkRoom, code, state, text


def a_study(*series: str, **members: Any) -> Resource:
    study = {
        "resourceType": "ImagingStudy",
        "id": "o-study",
        "status": "available",
        "subject": {"reference": PATIENT},
        "basedOn": [{"reference": REQUEST}],
        "series": [{"uid": uid, "numberOfInstances": 10} for uid in series],
    }
    return study | members


async def arrived(room: WorkRoom, study: Resource) -> list[Resource]:
    """A study arrives; the verifications that are there now."""
    before = room.desk.held.get("ImagingStudy/o-study")
    stored = room.desk.hold(study, source="order")
    changes = await late_images.study_arrived(Arrival("order", study, stored.version, before=before), room.desk)
    room.desk.carry_out(changes)
    return [one for one in room.kept("Task") if one["code"]["coding"][0]["code"] == "late-images"]


@pytest.fixture
async def room(tmp_path: Path) -> WorkRoom:
    """A report on one series, which two people have released."""
    made = WorkRoom(tmp_path)
    await made.draft()
    assert await arrived(made, a_study("1.1")) == [], "a draft is still to be read with all images"
    await made.release()
    return made


@pytest.mark.clause("5.8.1")
async def test_a_new_series_after_signing_opens_one_verification_and_more_is_added_to_it(room: WorkRoom) -> None:
    [task] = await arrived(room, a_study("1.1", "1.2"))
    assert (task["status"], state(task), task["focus"]["reference"]) == ("ready", "open", REPORT)
    assert [one["valueString"] for one in task["input"] if "valueString" in one] == ["1.2"]
    [more] = await arrived(room, a_study("1.1", "1.2", "1.3"))
    assert more["id"] == task["id"] and [one["valueString"] for one in more["input"] if "valueString" in one] == [
        "1.2",
        "1.3",
    ]
    [same] = await arrived(room, a_study("1.1", "1.2", "1.3"))
    assert same == more, "told again, nothing changes"


async def test_images_settled_as_unchanged_leave_the_report_as_it_is(room: WorkRoom) -> None:
    [task] = await arrived(room, a_study("1.1", "1.2"))
    place = f"Task/{task['id']}"
    done = await room.act(
        late_images.images_settled,
        place,
        by=REVIEWER,
        outcome=code("unchanged"),
        note=text("a reconstruction of the same"),
    )
    assert (state(done), done["status"], done["owner"]["reference"]) == ("settled", "completed", REVIEWER)
    assert room.status == "final" and (await room.verified())[0]
    again = await room.refused(
        late_images.images_settled, place, by=REVIEWER, outcome=code("unchanged"), note=text("once more")
    )
    assert again == (409, "report.late-images-illegal-move", "Task.businessStatus")


async def test_images_that_change_the_report_stay_open_until_it_is_released_anew(room: WorkRoom) -> None:
    [task] = await arrived(room, a_study("1.1", "1.2"))
    place = f"Task/{task['id']}"
    waits = await room.act(late_images.images_settled, place, by=AUTHOR, outcome=code("amend"), note=text("a nodule"))
    assert (state(waits), waits["status"]) == ("to-amend", "in-progress")
    room.desk.carry_out(await late_images.report_follows(room.report().resource | {"status": "partial"}, room.desk))
    assert state(room.desk.held[place].resource) == "to-amend"
    room.desk.carry_out(await late_images.report_follows(room.report().resource | {"status": "amended"}, room.desk))
    assert state(room.desk.held[place].resource) == "settled"


@pytest.mark.parametrize(
    ("by", "said", "expected"),
    [
        ("", {"outcome": code("unchanged"), "note": text("x")}, (422, "report.work-person-missing")),
        (TRAINEE, {"outcome": code("unchanged"), "note": text("x")}, (422, "staff.role")),
        (AUTHOR, {"outcome": code("fine"), "note": text("x")}, (422, "report.work-code")),
        (AUTHOR, {"outcome": code("unchanged"), "note": text("  ")}, (422, "report.work-text-missing")),
    ],
)
async def test_what_does_not_settle_late_images_is_refused_at_its_element(
    room: WorkRoom, by: str, said: dict[str, Any], expected: tuple[int, str]
) -> None:
    [task] = await arrived(room, a_study("1.1", "1.2"))
    refused = await room.refused(late_images.images_settled, f"Task/{task['id']}", by=by, **said)
    assert refused[:2] == expected and refused[2].startswith("Parameters.parameter")


async def test_nobody_settles_a_withdrawn_report(room: WorkRoom) -> None:
    [task] = await arrived(room, a_study("1.1", "1.2"))
    room.desk.carry_out(
        await late_images.report_follows(room.report().resource | {"status": "entered-in-error"}, room.desk)
    )
    assert state(room.desk.held[f"Task/{task['id']}"].resource) == "void"


async def test_images_that_nobody_has_looked_at_in_time_are_on_record(room: WorkRoom) -> None:
    [task] = await arrived(room, a_study("1.1", "1.2"))
    place = f"Task/{task['id']}"
    room.desk.now += timedelta(hours=25)
    due = Due(TIMER, place, timer_of(place), room.desk.now, {})
    room.desk.carry_out(await work_overdue(due, room.desk))
    late = room.desk.held[place].resource
    assert [one["code"] for one in late["businessStatus"]["coding"]] == ["open", "breached"]
    [issue] = [one for one in room.kept("DetectedIssue") if one["implicated"] == [{"reference": place}]]
    assert issue["code"]["coding"][0]["code"] == "report.work-overdue" and "patient" not in issue


@pytest.mark.parametrize(
    ("now", "before", "found"),
    [
        (a_study("1.1"), None, ["1.1"]),
        (a_study("1.1"), a_study("1.1"), []),
        (a_study("1.1", "1.2"), a_study("1.1"), ["1.2"]),
        (a_study("1.1", status="entered-in-error"), None, []),
        (a_study(series=[{"uid": "1.1", "numberOfInstances": 11}]), a_study("1.1"), ["1.1"]),
        (a_study(series=[], numberOfInstances=4), a_study(series=[], numberOfInstances=3), ["ImagingStudy/o-study"]),
        (a_study(series=[]), a_study(series=[]), []),
        (a_study("1.1"), a_study("1.1", description="another"), []),
    ],
)
def test_only_images_that_were_not_there_are_news(now: Resource, before: Resource | None, found: list[str]) -> None:
    assert news(now, before) == found
