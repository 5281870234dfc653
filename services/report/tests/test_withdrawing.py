"""A report on the wrong patient is taken back at once, and whoever received it is told (CL02-A011:5.9.1)."""

import base64
import sys
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Receiver, Write
from slipring_report.audiences import audiences
from slipring_report.handlers import flagging, withdrawing

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, REPORT, REVIEWER, ReadingRoom

REASONS = f"{CANONICAL}/CodeSystem/withdrawal-reason"
NURSE = "Practitioner/o-nurse"


@pytest.fixture
async def room(tmp_path: Path) -> ReadingRoom:
    """A released report that a nurse and the HIS have read."""
    released = ReadingRoom(tmp_path)
    await released.draft()
    await released.release()
    released.desk.shown_to = [Receiver("ward-tablet", NURSE), Receiver("his"), Receiver("his", NURSE)]
    return released


def said(code: str = "wrong-patient", by: str = REVIEWER, **more: Any) -> dict[str, Any]:
    reason = {"coding": [{"system": REASONS, "code": code}]}
    return {"reason": {"valueCodeableConcept": reason}, "by": {"valueReference": {"reference": by}}} | more


async def test_one_person_takes_a_report_back_and_its_content_is_hidden(room: ReadingRoom) -> None:
    await room.call(withdrawing.report_withdrawn, **said())
    report = room.report().resource
    assert report["status"] == "entered-in-error" and "conclusion" not in report
    [banner] = report["presentedForm"]
    page = base64.b64decode(banner["data"]).decode()
    assert "embolism" not in page and "不得使用" in page and "wrong patient" in page
    assert not (await room.verified())[0]


@pytest.mark.clause("5.9.1")
async def test_everybody_who_received_it_is_told_once_without_a_word_of_it(room: ReadingRoom) -> None:
    changes = await room.call(withdrawing.report_withdrawn, **said())
    notices = [one.resource for one in changes.save if one.resource["resourceType"] == "Communication"]
    told = [one["recipient"][0].get("reference") or one["recipient"][0]["display"] for one in notices]
    assert told == [NURSE, "his"]
    assert all("embolism" not in str(one) and one["about"][0]["reference"] == f"{REPORT}/_history/4" for one in notices)


@pytest.mark.clause("4.9")
async def test_a_nonconformity_is_opened_and_begins_at_its_beginning(room: ReadingRoom) -> None:
    changes = await room.call(withdrawing.report_withdrawn, **said("other", note={"valueString": "mixed up"}))
    [task] = [one.resource for one in changes.save if one.resource["resourceType"] == "Task"]
    assert task["code"]["coding"][0]["code"] == "nonconformity" and "mixed up" in task["description"]
    assert task["businessStatus"]["coding"][0]["code"] == "opened"


async def test_its_critical_findings_and_their_hand_overs_are_taken_back(room: ReadingRoom) -> None:
    finding = {"system": f"{CANONICAL}/CodeSystem/critical-finding", "code": "CV-CT-06"}
    await room.call(flagging.finding_flagged, finding={"valueCoding": finding})
    changes = await room.call(withdrawing.report_withdrawn, **said())
    statuses = {one.resource["resourceType"]: one.resource["status"] for one in changes.save}
    assert statuses["Observation"] == "entered-in-error" and len(changes.cancel) == 1
    [handover] = [
        s.resource for s in room.desk.held.values() if s.reference == changes.cancel[0].replace("handover:", "Task/")
    ]
    assert handover["status"] == "cancelled"


async def test_a_next_version_that_was_begun_is_over(room: ReadingRoom) -> None:
    draft = await room.amended(conclusion="Embolism.")
    room.at = REPORT
    await room.call(withdrawing.report_withdrawn, **said())
    assert room.desk.held[draft].resource["status"] == "cancelled"


@pytest.mark.parametrize(
    ("asked", "detail"),
    [
        (said(by=AUTHOR), "staff.rank"),
        (said(by="Practitioner/o-nobody"), "staff.unknown-person"),
        (said("because"), "report.withdrawal-reason"),
        (said("other"), "report.withdrawal-unexplained"),
    ],
)
async def test_who_may_not_or_says_not_why_takes_nothing_back(
    room: ReadingRoom, asked: dict[str, Any], detail: str
) -> None:
    with pytest.raises(FhirError) as refusal:
        await room.call(withdrawing.report_withdrawn, **asked)
    assert refusal.value.status == 422 and detail in [one.detail for one in refusal.value.issues]
    assert room.status == "final"


async def test_it_is_over_then(room: ReadingRoom) -> None:
    await room.call(withdrawing.report_withdrawn, **said())
    with pytest.raises(FhirError) as refusal:
        await room.call(withdrawing.report_withdrawn, **said())
    assert refusal.value.issues[0].detail == "report.withdrawn-already"
    with pytest.raises(FhirError) as refusal:
        await room.draft(status="entered-in-error", conclusion="Embolism.")
    assert refusal.value.issues[0].detail == "report.no-longer-changed"


async def test_the_parts_of_a_withdrawn_and_of_a_cancelled_report_are_the_departments(tmp_path: Path) -> None:
    room = ReadingRoom(tmp_path)
    room.desk.hold({"resourceType": "Observation", "id": "r-2", "status": "final"})
    await room.draft(result=[{"reference": "Observation/r-2"}])
    before = room.report()
    cancelled = {**before.resource, "status": "cancelled"}
    found = await audiences([Write("update", cancelled, before)], room.desk)
    assert found[REPORT] is None and found.get("Observation/r-2", ("hidden",)) is not None
    released = room.desk.hold({**before.resource, "status": "final"})
    withdrawn = {**before.resource, "status": "entered-in-error"}
    room.desk.hold(withdrawn)
    found = await audiences([Write("update", withdrawn, released)], room.desk)
    assert found[REPORT] is None and found["Observation/r-2"] is not None
    assert found[f"{REPORT}/_history"] is not None and found["Observation/r-2/_history"] is not None


async def test_whoever_received_a_report_is_told_when_it_is_amended(room: ReadingRoom) -> None:
    await room.amended(conclusion="Embolism.")
    await room.release()
    notices = [s.resource for s in room.desk.held.values() if s.resource["resourceType"] == "Communication"]
    assert [one["recipient"][0].get("reference") for one in notices] == [NURSE, None]
    assert all(one["category"][0]["coding"][0]["code"] == "superseded" for one in notices)
