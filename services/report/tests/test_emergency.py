"""The report of a stat exam may be released under one signature; a second reader follows (CL02-A011:5.7.1)."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Call, Changes, Due, Receiver, Stored
from slipring.signing.jws import jws_sha256
from slipring_report.handlers import records, second_reads
from slipring_report.visibility import in_emergency, released

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, PATIENT, REPORT, REVIEWER, TWIN, ReadingRoom, a_physician, a_role, named, refused

CHIEF, WARD = "Practitioner/o-chief", "Practitioner/o-ward"
AT_ONCE = {"coding": [{"system": f"{CANONICAL}/CodeSystem/emergency-release-reason", "code": "life-threatening"}]}
URGENT: dict[str, Any] = {"emergency": {"valueCodeableConcept": AT_ONCE}}


@pytest.fixture
async def room(tmp_path: Path) -> ReadingRoom:
    """A stat exam with its draft."""
    stat = ReadingRoom(tmp_path)
    request = {"resourceType": "ServiceRequest", "id": "o-q", "subject": {"reference": PATIENT}, "priority": "stat"}
    stat.desk.hold(request, source="elsewhere")
    stat.desk.hold(a_physician(CHIEF, "L-9", "chief-physician", "2001-01-01"), source="elsewhere")
    await stat.draft()
    return stat


async def let_out(room: ReadingRoom) -> tuple[str, Changes]:
    jws = await room.jws(REVIEWER, "author")
    changes = await room.sign(REVIEWER, "author", jws=jws, **URGENT)
    assert changes.refuse is None
    return jws, changes


def the_read(room: ReadingRoom) -> Stored:
    [task] = [s for s in room.desk.held.values() if s.resource["resourceType"] == "Task"]
    return task


async def graded(room: ReadingRoom, grade: str, by: str = CHIEF) -> Changes:
    said = [
        {"name": "grade", "valueCode": grade},
        {"name": "by", "valueReference": {"reference": by}},
        {"name": "note", "valueString": "A small one in the lingula."},
    ]
    call = Call({"resourceType": "Parameters", "parameter": said}, the_read(room))
    changes = await second_reads.second_read_graded(call, room.desk)
    room.desk.carry_out(changes)
    return changes


@pytest.mark.clause("5.7.1")
async def test_one_signature_releases_it_as_preliminary_and_opens_the_second_read(room: ReadingRoom) -> None:
    _, changes = await let_out(room)
    report = room.report().resource
    assert report["status"] == "preliminary" and in_emergency(report) and released(report)
    assert report["issued"] and report["presentedForm"] and (await room.verified())[0]
    task = the_read(room).resource
    assert task["code"]["coding"][0]["code"] == "second-read"
    assert task["reasonCode"]["coding"][0]["code"] == "life-threatening"
    [wake] = changes.wake
    assert wake.after == timedelta(hours=24) and wake.subject == f"Task/{task['id']}"


async def test_the_second_signature_makes_it_final_and_ends_the_second_read(room: ReadingRoom) -> None:
    first, _ = await let_out(room)
    await graded(room, "agree")
    await room.sign(CHIEF, "reviewer", jws_sha256(first))
    report = room.report().resource
    assert report["status"] == "final" and not in_emergency(report) and (await room.verified())[0]
    assert the_read(room).resource["status"] == "completed"


async def test_a_major_discrepancy_is_told_and_corrected_by_signatures(room: ReadingRoom) -> None:
    first, _ = await let_out(room)
    room.desk.shown_to = [Receiver("ward-tablet", WARD)]
    answer = (await graded(room, "major")).answer
    notice = room.desk.held[named(answer)["notice"]["valueReference"]["reference"]].resource
    assert notice["recipient"] == [{"reference": WARD}] and "lingula" not in str(notice)
    with pytest.raises(FhirError) as refusal:
        await room.sign(CHIEF, "reviewer", jws_sha256(first))
    assert refusal.value.issues[0].detail == "report.second-read-major"
    await room.amended("corrected", "second-read", conclusion="Embolism of the lingula.")
    assert room.desk.held[REPORT].resource["conclusion"] == "No <embolism>.", "others go on reading what was released"
    anew = await room.jws(REVIEWER, "author")
    await room.sign(REVIEWER, "author", jws=anew)
    await room.sign(CHIEF, "reviewer", jws_sha256(anew))
    room.at = REPORT
    assert room.status == "corrected" and not in_emergency(room.report().resource) and (await room.verified())[0]
    assert the_read(room).resource["status"] == "completed"


async def test_an_overdue_second_read_is_to_be_seen(room: ReadingRoom) -> None:
    await let_out(room)
    task = the_read(room)
    due = Due("second-read-overdue", task.reference, "", room.desk.now, {})
    room.desk.carry_out(await second_reads.second_read_overdue(due, room.desk))
    assert the_read(room).resource["businessStatus"]["coding"][0]["code"] == "overdue"
    await graded(room, "minor")
    assert (await second_reads.second_read_overdue(due, room.desk)).nothing


async def test_only_who_may_issue_alone_releases_alone(room: ReadingRoom) -> None:
    assert refused(await room.sign(AUTHOR, "author", **URGENT)) == {"signer-qualified"}
    assert room.status == "partial"


async def test_only_a_stat_exam_is_released_under_one_signature(tmp_path: Path) -> None:
    room = ReadingRoom(tmp_path)
    await room.draft()
    with pytest.raises(FhirError) as refusal:
        await room.sign(REVIEWER, "author", **URGENT)
    assert refusal.value.issues[0].detail == "report.emergency-not-stat"


@pytest.mark.parametrize(
    ("said", "detail"),
    [({"text": "quick"}, "report.emergency-reason")],
)
async def test_the_choice_says_its_reason(room: ReadingRoom, said: dict[str, Any], detail: str) -> None:
    with pytest.raises(FhirError) as refusal:
        await room.sign(REVIEWER, "author", emergency={"valueCodeableConcept": said})
    assert refusal.value.issues[0].detail == detail


async def test_a_report_that_was_signed_already_takes_its_second_signature(room: ReadingRoom) -> None:
    first = await room.jws(AUTHOR, "author")
    await room.sign(AUTHOR, "author", jws=first)
    with pytest.raises(FhirError) as refusal:
        await room.sign(REVIEWER, "reviewer", jws_sha256(first), **URGENT)
    assert refusal.value.issues[0].detail == "report.emergency-first-only"


@pytest.mark.parametrize("by", [REVIEWER, TWIN, AUTHOR])
async def test_the_second_reader_is_another_person_who_may_issue_reports(room: ReadingRoom, by: str) -> None:
    twin = a_physician(TWIN, "L-2", "attending-physician", "2015-01-01")
    room.desk.hold(twin, source="elsewhere")
    await let_out(room)
    with pytest.raises(FhirError) as refusal:
        await graded(room, "agree", by)
    wanted = "staff.rank" if by == AUTHOR else "report.second-reader-differs"
    assert wanted in [one.detail for one in refusal.value.issues]


async def test_nobody_releases_a_draft_by_a_tag(room: ReadingRoom) -> None:
    first = await room.jws(AUTHOR, "author")
    await room.sign(AUTHOR, "author", jws=first)
    with pytest.raises(FhirError) as refusal:
        await room.draft(status="preliminary", meta={"tag": [{"code": "emergency-single-signature"}]})
    assert refusal.value.issues[0].detail == "report.emergency-by-signature"


async def test_nobody_closes_a_second_read_by_hand(room: ReadingRoom) -> None:
    await let_out(room)
    with pytest.raises(FhirError) as refusal:
        await room.write(records.task_written, {**the_read(room).resource, "status": "completed"})
    assert refusal.value.issues[0].detail == "report.second-read-by-operation"


FLAG = {"tag": [{"system": f"{CANONICAL}/CodeSystem/review-flag", "code": "difficult-case"}]}


@pytest.mark.clause("5.6.1")
async def test_a_flagged_case_takes_a_third_signature_at_level_d(tmp_path: Path) -> None:
    room = ReadingRoom(tmp_path)
    room.desk.hold(a_physician(CHIEF, "L-9", "chief-physician", "2001-01-01"), source="elsewhere")
    await room.draft(meta=FLAG)
    first = await room.jws(AUTHOR, "author")
    await room.sign(AUTHOR, "author", jws=first)
    with pytest.raises(FhirError) as refusal:
        await room.draft(status="preliminary")
    assert refusal.value.issues[0].detail == "report.review-flag-stays"
    second = await room.jws(REVIEWER, "reviewer", jws_sha256(first))
    await room.sign(REVIEWER, "reviewer", jws=second)
    assert room.status == "preliminary"
    assert refused(await room.sign(CHIEF, "chief", jws_sha256(second))) == {"signer-qualified"}, "he has no level yet"
    room.desk.hold(a_role(CHIEF, "radiologist", "level-d"), source="elsewhere")
    await room.sign(CHIEF, "chief", jws_sha256(second))
    assert room.status == "final" and (await room.verified())[0]


async def test_nobody_of_lower_rank_reviews(room: ReadingRoom) -> None:
    first = await room.jws(CHIEF, "author")
    room.desk.hold(a_role(CHIEF, "radiologist", "level-c"), source="elsewhere")
    await room.sign(CHIEF, "author", jws=first)
    assert refused(await room.sign(REVIEWER, "reviewer", jws_sha256(first))) == {"rank-not-lower"}
