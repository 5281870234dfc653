"""A released report goes on being read while its next version is written and signed (CL02-A011:5.9.1)."""

import sys
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL
from slipring.signing.jws import jws_sha256
from slipring_report.amending.amendment import amendment_of
from slipring_report.handlers import amending, writes

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, REPORT, REVIEWER, ReadingRoom, a_report, refused

REASONS = f"{CANONICAL}/CodeSystem/amendment-reason"


@pytest.fixture
async def room(tmp_path: Path) -> ReadingRoom:
    """A report that two people have released."""
    released = ReadingRoom(tmp_path)
    await released.draft()
    await released.release()
    return released


def begun_with(**said: Any) -> dict[str, Any]:
    reason = {"coding": [{"system": REASONS, "code": "missed-finding"}]}
    return {
        "kind": {"valueCode": "corrected"},
        "reason": {"valueCodeableConcept": reason},
        "author": {"valueReference": {"reference": AUTHOR}},
    } | said


async def test_a_released_report_is_not_changed_by_writing_over_it(room: ReadingRoom) -> None:
    with pytest.raises(FhirError) as refusal:
        await room.draft(status="final", conclusion="Embolism.")
    assert refusal.value.status == 409 and refusal.value.issues[0].detail == "report.released-amend"
    assert room.status == "final" and (await room.verified())[0]


async def test_a_result_of_a_released_report_is_not_changed_either(tmp_path: Path) -> None:
    room = ReadingRoom(tmp_path)
    result = {"resourceType": "Observation", "id": "r-2", "status": "final", "valueString": "a"}
    room.desk.hold(result)
    await room.draft(result=[{"reference": "Observation/r-2"}])
    await room.release()
    with pytest.raises(FhirError) as refusal:
        await room.write(writes.observation_written, {**result, "valueString": "b"})
    assert refusal.value.issues[0].detail == "report.released-amend"


async def test_the_released_version_stands_until_both_have_signed_the_next(room: ReadingRoom) -> None:
    before = room.report()
    draft = await room.amended(conclusion="Embolism.")
    assert room.desk.held[REPORT] == before
    first = await room.jws(AUTHOR, "author")
    await room.sign(AUTHOR, "author", jws=first)
    assert room.status == "preliminary" and room.desk.held[REPORT] == before
    room.at = REPORT
    assert (await room.verified())[0], "the signatures on the released version are not touched"
    room.at = draft
    await room.release_second(first)
    assert room.desk.held[draft].deleted
    room.at = REPORT
    report = room.report()
    assert (report.version, report.resource["status"]) == (before.version + 1, "corrected")
    assert report.resource["conclusion"] == "Embolism." and report.resource["presentedForm"]
    valid, parts = await room.verified()
    reasons = [part.get("reason", {}).get("valueString") for part in parts]
    assert valid and reasons == ["superseded", "superseded", None, None]
    assert [part["valid"]["valueBoolean"] for part in await room.seals()] == [True]


async def test_what_is_amended_how_and_why_is_signed_with_it(room: ReadingRoom) -> None:
    await room.amended("appended", "late-images", conclusion="No <embolism>. Nodule 4 mm.")
    payload = (await room.payload()).decode()
    assert "late-images" in payload and "appended" in payload and f"{REPORT}/_history/" in payload
    await room.release()
    room.at = REPORT
    told = amendment_of(room.report().resource)
    assert told is not None and (told.kind, told.author, told.report) == ("appended", AUTHOR, REPORT)
    assert room.status == "appended"


async def test_the_signatures_of_an_amendment_name_the_version_it_became(room: ReadingRoom) -> None:
    draft = await room.amended(conclusion="Embolism.")
    await room.release()
    room.at = REPORT
    version = f"{REPORT}/_history/{room.report().version}"
    records = [each.resource for each in room.desk.held.values() if each.resource["resourceType"] == "Provenance"]
    became = [each for each in records if {"reference": version} in each["target"]]
    assert len(became) == 2
    assert all(each["entity"][0]["what"]["reference"].startswith(f"{draft}/_history/") for each in became)


async def test_only_one_amendment_is_open_at_a_time(room: ReadingRoom) -> None:
    draft = await room.amended(conclusion="Embolism.")
    room.at = REPORT
    with pytest.raises(FhirError) as refusal:
        await room.call(amending.amendment_begun, **begun_with())
    assert refusal.value.issues[0].detail == "report.amendment-open"
    room.desk.hold({**room.desk.held[draft].resource, "status": "cancelled"})
    await room.amended(conclusion="Embolism, after all.")
    await room.release()
    room.at = REPORT
    assert room.report().resource["conclusion"] == "Embolism, after all."


async def test_an_amendment_of_a_report_that_was_changed_meanwhile_is_not_released(room: ReadingRoom) -> None:
    draft = await room.amended(conclusion="Embolism.")
    first = await room.jws(AUTHOR, "author")
    await room.sign(AUTHOR, "author", jws=first)
    room.desk.hold({**room.desk.held[REPORT].resource, "status": "entered-in-error"})
    room.at = draft
    with pytest.raises(FhirError) as refusal:
        await room.release_second(first)
    assert refusal.value.issues[0].detail == "report.amended-meanwhile"


@pytest.mark.parametrize(
    ("said", "detail"),
    [
        ({"kind": {"valueCode": "final"}}, "report.amendment-kind"),
        ({"reason": {"valueCodeableConcept": {"text": "because"}}}, "report.amendment-reason"),
        (
            {"reason": {"valueCodeableConcept": {"coding": [{"system": REASONS, "code": "other"}]}}},
            "report.amendment-unexplained",
        ),
        ({"author": {"valueReference": {"reference": "Practitioner/o-nobody"}}}, "staff.unknown-person"),
    ],
)
async def test_what_an_amendment_lacks_is_named(room: ReadingRoom, said: dict[str, Any], detail: str) -> None:
    with pytest.raises(FhirError) as refusal:
        await room.call(amending.amendment_begun, **begun_with(**said))
    assert refusal.value.status == 422 and refusal.value.issues[0].detail == detail
    assert refusal.value.issues[0].zh and refusal.value.issues[0].en


async def test_a_draft_is_simply_changed(tmp_path: Path) -> None:
    room = ReadingRoom(tmp_path)
    await room.draft()
    with pytest.raises(FhirError) as refusal:
        await room.call(amending.amendment_begun, **begun_with())
    assert refusal.value.status == 409 and refusal.value.issues[0].detail == "report.not-released-here"


async def test_nobody_writes_or_alters_by_hand_what_a_version_amends(room: ReadingRoom) -> None:
    await room.amended()
    draft = room.report().resource
    for extensions in ([], [{**draft["extension"][0], "extension": draft["extension"][0]["extension"][:-1]}]):
        with pytest.raises(FhirError) as refusal:
            await room.write(writes.report_written, {**draft, "extension": extensions})
        assert refusal.value.issues[0].detail == "report.amendment-by-operation"


async def test_a_report_made_elsewhere_is_kept_as_it_came(tmp_path: Path) -> None:
    room = ReadingRoom(tmp_path)
    room.desk.hold(a_report(status="final"))
    with pytest.raises(FhirError) as refusal:
        await room.draft(status="partial", conclusion="Embolism.")
    assert refusal.value.issues[0].detail == "report.made-elsewhere"
    with pytest.raises(FhirError) as refusal:
        await room.call(amending.amendment_begun, **begun_with())
    assert refusal.value.issues[0].detail == "report.not-released-here"


async def test_the_reviewer_of_an_amendment_is_another_person_too(room: ReadingRoom) -> None:
    await room.amended(conclusion="Embolism.")
    first = await room.jws(REVIEWER, "author")
    await room.sign(REVIEWER, "author", jws=first)
    assert "signers-differ" in refused(await room.sign(REVIEWER, "reviewer", jws_sha256(first)))
