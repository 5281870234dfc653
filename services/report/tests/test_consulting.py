"""Consultation: asked, answered, by whom, when (4.7 b); images handed out or made available are on record (5.8.1)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring_report.handlers import consulting, messages
from slipring_report.visibility import of_work

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, REPORT, REQUEST, REVIEWER
from work_room import WorkRoom, code, ref, text
from worklist_room import READING, an_exam
from worklist_room import WorklistRoom as ListRoom


@pytest.fixture
async def room(tmp_path: Path) -> WorkRoom:
    """A draft."""
    made = WorkRoom(tmp_path)
    await made.draft()
    return made


@pytest.mark.clause("4.7 b")
async def test_a_question_is_answered_once_by_whoever_was_asked(room: WorkRoom) -> None:
    asked = await room.act(
        consulting.consultation_asked,
        REPORT,
        by=AUTHOR,
        of=ref("PractitionerRole/o-reviewer-role"),
        question=text("cyst or tumour?"),
    )
    place = f"Communication/{asked['id']}"
    assert (asked["status"], asked["sender"], asked["about"]) == (
        "in-progress",
        {"reference": AUTHOR},
        [{"reference": REPORT}],
    )
    assert asked["sent"] and asked["subject"] == {"reference": "Patient/o-p"}
    other = await room.refused(consulting.consultation_answered, place, by=AUTHOR, answer=text("a cyst"))
    assert other == (422, "report.consultation-not-asked", "Parameters.parameter[0]")
    answer = await room.act(consulting.consultation_answered, place, by=REVIEWER, answer=text("a cyst"))
    assert answer["inResponseTo"] == [{"reference": place}] and answer["recipient"] == [{"reference": AUTHOR}]
    question = room.desk.held[place].resource
    assert question["status"] == "completed" and question["received"] == answer["sent"]
    twice = await room.refused(consulting.consultation_answered, place, by=REVIEWER, answer=text("a tumour"))
    assert twice == (409, "report.consultation-answered", "Communication.status")
    itself = await room.refused(
        consulting.consultation_answered, f"Communication/{answer['id']}", by=AUTHOR, answer=text("?")
    )
    assert itself[1] == "report.no-question"


async def test_what_is_asked_about_a_draft_is_for_the_department_and_the_two(room: WorkRoom) -> None:
    asked = await room.act(consulting.consultation_asked, REPORT, by=AUTHOR, of=ref(REVIEWER), question=text("?"))
    assert of_work(asked) == ("slipring/draft-read", AUTHOR, REVIEWER)


async def test_what_was_asked_is_rewritten_by_nobody(room: WorkRoom) -> None:
    asked = await room.act(consulting.consultation_asked, REPORT, by=AUTHOR, of=ref(REVIEWER), question=text("?"))
    with pytest.raises(FhirError) as refused:
        await room.write(messages.message_written, {**asked, "payload": [{"contentString": "!"}]})
    assert (refused.value.status, refused.value.issues[0].detail) == (422, "report.message-as-said")
    await room.write(messages.message_written, {"resourceType": "Communication", "id": "r-new", "status": "completed"})


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"of": ref("Practitioner/o-nobody"), "question": text("?")}, "report.consultation-of-nobody"),
        ({"of": {"valueReference": {"display": "somebody"}}, "question": text("?")}, "report.consultation-of-nobody"),
        ({"of": ref(REVIEWER), "question": text("\n")}, "report.work-text-missing"),
    ],
)
async def test_a_question_names_whom_and_says_what(room: WorkRoom, said: dict[str, Any], expected: str) -> None:
    assert (await room.refused(consulting.consultation_asked, REPORT, by=AUTHOR, **said))[:2] == (422, expected)
    nobody = await room.refused(consulting.consultation_asked, REPORT, by="Practitioner/o-gone", **said)
    assert nobody[1] == "report.work-person-unknown"


@pytest.mark.clause("5.8.1")
async def test_images_handed_out_are_on_record_with_what_to_whom_and_by_whom() -> None:
    room = ListRoom()
    await room.told(an_exam())
    said: dict[str, Any] = {
        "by": ref(AUTHOR),
        "medium": code("disc"),
        "to": {"valueReference": {"display": "患者本人(虚构)"}},
    }
    with pytest.raises(FhirError, match=r"409 conflict at Task\.focus"):
        await room.call(consulting.images_handed_out, **said)
    study = {"resourceType": "ImagingStudy", "id": "o-s", "status": "available", "basedOn": [{"reference": REQUEST}]}
    room.desk.hold(study, source="order")
    await room.call(consulting.images_handed_out, READING, **said)
    [handed] = [one.resource for one in room.desk.held.values() if one.resource["resourceType"] == "Communication"]
    assert handed["about"] == [{"reference": "ImagingStudy/o-s"}] and handed["basedOn"] == [{"reference": REQUEST}]
    assert handed["sender"] == {"reference": AUTHOR} and handed["reasonCode"][0]["coding"][0]["code"] == "disc"
    assert of_work(handed) is None, "that images were handed out is no secret"
    for wrong, detail in (
        ({"medium": code("slate")}, "report.work-code"),
        ({"to": ref("")}, "report.images-to-nobody"),
    ):
        with pytest.raises(Exception) as refused:
            await room.call(consulting.images_handed_out, **(said | wrong))
        assert refused.value.issues[0].detail == detail
