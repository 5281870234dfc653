"""Imaging unclear, or against clinic or pathology: opened, clinic contacted, repeat, outcome, in this order (5.9.1)."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.service import Due
from slipring_report.handlers import discordance
from slipring_report.visibility import of_work
from slipring_report.worklist.work_task import TIMER, timer_of, work_overdue

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, PATIENT, REPORT, REVIEWER, TRAINEE
from work_room import WorkRoom, code, ref, state, text

WITH = {"valueReference": {"display": "普外科值班医师(虚构)"}}
OPENED = {
    "kind": code("contradicts-pathology"),
    "aspect": code("nature"),
    "description": text("adenocarcinoma, read as cyst"),
}
CONTACT = {"with_": WITH, "medium": code("telephone"), "said": text("the specimen was from the other segment")}


@pytest.fixture
async def room(tmp_path: Path) -> WorkRoom:
    """A released report."""
    made = WorkRoom(tmp_path)
    await made.draft()
    await made.release()
    return made


async def opened(room: WorkRoom) -> str:
    task = await room.act(discordance.discordance_opened, REPORT, by=AUTHOR, **OPENED)
    return f"Task/{task['id']}"


@pytest.mark.clause("5.9.1")
async def test_a_discordance_is_concluded_only_after_the_clinic_was_contacted(room: WorkRoom) -> None:
    place = await opened(room)
    concluded = {"outcome": code("report-stands"), "note": text("both lesions are described")}
    early = await room.refused(discordance.discordance_concluded, place, by=REVIEWER, **concluded)
    assert early == (409, "report.discordance-illegal-move", "Task.businessStatus")
    contacted = await room.act(discordance.clinic_contacted, place, by=AUTHOR, **CONTACT)
    assert state(contacted) == "contacted"
    [message] = room.kept("Communication")
    assert message["recipient"] == [WITH["valueReference"]] and message["sender"] == {"reference": AUTHOR}
    assert message["partOf"] == [{"reference": place}] and message["sent"] and message["medium"]
    done = await room.act(discordance.discordance_concluded, place, by=REVIEWER, **concluded)
    assert (state(done), done["status"]) == ("concluded", "completed")
    said = {one["type"]["coding"][0]["code"]: one for one in done["output"]}
    assert (
        said["discordance-outcome"]["valueCode"] == "report-stands"
        and said["done-by"]["valueReference"]["reference"] == REVIEWER
    )
    assert (await room.verified())[0], "the procedure touches no signature"


@pytest.mark.clause("5.9.1")
async def test_a_repeat_answers_by_images_or_a_report_of_the_same_person(room: WorkRoom) -> None:
    place = await opened(room)
    asked = {"reason": text("delayed phase"), "request": ref("ServiceRequest/o-again")}
    early = await room.refused(discordance.repeat_asked, place, by=AUTHOR, reason=text("delayed phase"))
    assert early[:2] == (409, "report.discordance-illegal-move")
    await room.act(discordance.clinic_contacted, place, by=AUTHOR, **CONTACT)
    unknown = await room.refused(discordance.repeat_asked, place, by=AUTHOR, **asked)
    assert unknown[:2] == (422, "report.discordance-evidence") and unknown[2] == "Parameters.parameter[2]"
    room.desk.hold(
        {"resourceType": "ServiceRequest", "id": "o-again", "subject": {"reference": PATIENT}}, source="order"
    )
    assert state(await room.act(discordance.repeat_asked, place, by=AUTHOR, **asked)) == "awaiting-repeat"

    others = {"resourceType": "ImagingStudy", "id": "o-other", "subject": {"reference": "Patient/o-other"}}
    room.desk.hold(others, source="order")
    answered = {"outcome": code("repeat-answered"), "note": text("a haemangioma")}
    wrong = await room.refused(
        discordance.discordance_concluded, place, by=REVIEWER, evidence=ref("ImagingStudy/o-other"), **answered
    )
    assert wrong[1] == "report.discordance-evidence"
    room.desk.hold({**others, "id": "o-mine", "subject": {"reference": PATIENT}}, source="order")
    done = await room.act(
        discordance.discordance_concluded, place, by=REVIEWER, evidence=ref("ImagingStudy/o-mine"), **answered
    )
    assert state(done) == "concluded"


async def test_a_report_said_to_be_amended_was_released_anew(room: WorkRoom) -> None:
    place = await opened(room)
    await room.act(discordance.clinic_contacted, place, by=AUTHOR, **CONTACT)
    amended = {"outcome": code("report-amended"), "note": text("now called a tumour")}
    refused = await room.refused(discordance.discordance_concluded, place, by=REVIEWER, **amended)
    assert refused[:2] == (422, "report.discordance-not-amended")
    room.desk.now += timedelta(minutes=1)
    await room.amended("corrected", "discordance", conclusion="A tumour.")
    await room.release()
    assert room.desk.held[REPORT].resource["status"] == "corrected"
    assert state(await room.act(discordance.discordance_concluded, place, by=REVIEWER, **amended)) == "concluded"


async def test_the_same_kind_is_open_once_and_another_beside_it(room: WorkRoom) -> None:
    await opened(room)
    again = await room.refused(discordance.discordance_opened, REPORT, by=AUTHOR, **OPENED)
    assert again == (409, "report.discordance-open", "Parameters.parameter[1]")
    other = await room.act(
        discordance.discordance_opened, REPORT, by=AUTHOR, kind=code("image-unclear"), description=text("motion")
    )
    assert of_work(other) == ("slipring/draft-read",), "what contradicts a report is the department's"


@pytest.mark.parametrize(
    ("by", "change", "expected"),
    [
        (AUTHOR, {"kind": code("odd")}, "report.work-code"),
        (AUTHOR, {"aspect": code("colour")}, "report.work-code"),
        (AUTHOR, {"aspect": []}, "report.work-code"),
        (AUTHOR, {"description": text("")}, "report.work-text-missing"),
        ("Practitioner/o-nobody", {}, "staff.unknown-person"),
    ],
)
async def test_a_discordance_says_what_does_not_agree(
    room: WorkRoom, by: str, change: dict[str, Any], expected: str
) -> None:
    refused = await room.refused(discordance.discordance_opened, REPORT, by=by, **(OPENED | change))
    assert refused[:2] == (422, expected) and refused[2].startswith("Parameters.parameter")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"with_": {"valueReference": {}}}, "report.contact-unnamed"),
        ({"with_": {"valueReference": {"display": " "}}}, "report.contact-unnamed"),
        ({"medium": code("pigeon")}, "report.work-code"),
        ({"said": []}, "report.work-text-missing"),
    ],
)
async def test_a_contact_says_with_whom_how_and_what(room: WorkRoom, change: dict[str, Any], expected: str) -> None:
    refused = await room.refused(discordance.clinic_contacted, await opened(room), by=AUTHOR, **(CONTACT | change))
    assert refused[:2] == (422, expected)


async def test_a_trainee_concludes_nothing(room: WorkRoom) -> None:
    place = await opened(room)
    await room.act(discordance.clinic_contacted, place, by=TRAINEE, **CONTACT)
    said = {"outcome": code("undecided"), "note": text("who knows")}
    assert (await room.refused(discordance.discordance_concluded, place, by=TRAINEE, **said))[1].startswith("staff.")


async def test_a_discordance_that_is_late_stays_late_until_it_is_concluded(room: WorkRoom) -> None:
    place = await opened(room)
    room.desk.now += timedelta(hours=73)
    room.desk.carry_out(await work_overdue(Due(TIMER, place, timer_of(place), room.desk.now, {}), room.desk))
    contacted = await room.act(discordance.clinic_contacted, place, by=AUTHOR, **CONTACT)
    assert [one["code"] for one in contacted["businessStatus"]["coding"]] == ["contacted", "breached"]
    said = {"outcome": code("report-stands"), "note": text("it stands")}
    done = await room.act(discordance.discordance_concluded, place, by=REVIEWER, **said)
    assert [one["code"] for one in done["businessStatus"]["coding"]] == ["concluded"]


async def test_another_task_is_no_discordance(room: WorkRoom) -> None:
    room.desk.hold({"resourceType": "Task", "id": "r-x", "status": "ready", "code": {"text": "other"}})
    refused = await room.refused(discordance.clinic_contacted, "Task/r-x", by=AUTHOR, **CONTACT)
    assert refused == (422, "report.other-work", "Task.code")
