"""Who signs a report is told of the reactions during its exam; it stops nobody (CL02-A011:4.13)."""

import sys
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.checks.shape import check
from slipring.fhir.service import CANONICAL, Resource

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, PATIENT, REPORT, REQUEST, ReadingRoom
from slipring_report.handlers import signing_input

EFFECT = {
    "url": f"{CANONICAL}/StructureDefinition/effect-on-result",
    "extension": [
        {"url": "effect", "valueCodeableConcept": {"text": "检查未完成 / examination incomplete"}},
        {"url": "text", "valueString": "只有平扫"},
    ],
}
WRONG = {"url": f"{CANONICAL}/StructureDefinition/reaction-phase", "valueCode": "entered-in-error"}


def in_exam(request: str) -> Resource:
    return {"url": f"{CANONICAL}/StructureDefinition/for-exam", "valueReference": {"reference": request}}


def a_reaction(*extensions: Resource, **members: Any) -> Resource:
    said: Resource = {
        "resourceType": "AdverseEvent",
        "id": "c-1",
        "actuality": "actual",
        "subject": {"reference": PATIENT},
        "extension": list(extensions),
    }
    return said | members


AN_INJECTION: Resource = {
    "resourceType": "MedicationAdministration",
    "id": "c-i",
    "supportingInformation": [{"reference": "Consent/c-2"}, {"reference": REQUEST}],
}


async def told(room: ReadingRoom) -> list[Resource]:
    answer = (await room.call(signing_input.signing_input_asked, role={"valueCode": "author"})).answer
    assert answer is not None
    return [part["resource"] for part in answer["parameter"] if part["name"] == "issue"]


@pytest.fixture
async def room(tmp_path: Path) -> ReadingRoom:
    opened = ReadingRoom(tmp_path)
    await opened.draft()
    return opened


@pytest.mark.clause("4.13")
async def test_whoever_is_about_to_sign_reads_what_a_reaction_means_for_the_result(room: ReadingRoom) -> None:
    room.desk.hold(a_reaction(in_exam(REQUEST), EFFECT))
    [issue] = await told(room)
    assert issue["severity"] == "moderate" and "id" not in issue
    assert "检查未完成 / examination incomplete; 只有平扫（AdverseEvent/c-1）" in issue["detail"]
    assert [one["reference"] for one in issue["implicated"]] == [REPORT, "AdverseEvent/c-1"]
    assert not [one for one in room.desk.held if one.startswith("DetectedIssue/")], "asking stores nothing"


@pytest.mark.clause("4.13")
async def test_a_signature_goes_on_and_keeps_what_its_signer_was_told(room: ReadingRoom) -> None:
    room.desk.hold(a_reaction(in_exam(REQUEST)))
    signed = await room.sign(AUTHOR, "author")
    assert signed.refuse is None and room.status == "preliminary"
    [kept] = [one.resource for name, one in room.desk.held.items() if name.startswith("DetectedIssue/")]
    assert check(kept) == [] and kept["author"]["reference"] == AUTHOR
    assert "尚未填写" in kept["detail"] and {"reference": "AdverseEvent/c-1"} in kept["implicated"]
    assert signed.answer is not None and signed.answer["parameter"][-1] == {"name": "issue", "resource": kept}


async def test_a_reaction_that_names_no_exam_is_found_by_the_injection_it_is_blamed_on(room: ReadingRoom) -> None:
    room.desk.hold(a_reaction(suspectEntity=[{"instance": {"reference": "MedicationAdministration/c-i"}}]))
    assert await told(room) == [], "the injection is not here yet"
    room.desk.hold(AN_INJECTION)
    assert len(await told(room)) == 1


@pytest.mark.parametrize(
    "other",
    [
        a_reaction(in_exam("ServiceRequest/o-other"), EFFECT),
        a_reaction(in_exam(REQUEST), EFFECT, WRONG),
        a_reaction(in_exam(REQUEST), EFFECT, actuality="potential"),
        a_reaction(in_exam(REQUEST), EFFECT, subject={"reference": "Patient/o-other"}),
        a_reaction(EFFECT),
    ],
    ids=["of another exam", "entered in error", "that only could have been", "of another patient", "of no exam"],
)
async def test_nobody_is_told_of_a_reaction(room: ReadingRoom, other: Resource) -> None:
    room.desk.hold(other)
    assert await told(room) == []
