"""An appended version only adds: what was released stays in it, word for word, whichever way the draft is written."""

import sys
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring_report.handlers import writes
from slipring_report.reading import composition_of

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, REPORT, ReadingRoom
from slipring_report.vocabulary import COMPOSITION

_XHTML = "http://www.w3.org/1999/xhtml"
OLD = ["No embolism.", "Lungs clear"]


def a_section(code: str, *lines: str) -> dict[str, Any]:
    words = "".join(f"<p>{line}</p>" for line in lines)
    coding = {"system": "http://loinc.org", "code": code}
    return {
        "title": code,
        "code": {"coding": [coding]},
        "text": {"status": "generated", "div": f'<div xmlns="{_XHTML}">{words}</div>'},
    }


@pytest.fixture
async def room(tmp_path: Path) -> ReadingRoom:
    """A report with a text and a result that two people have released, and an appended version begun."""
    room = ReadingRoom(tmp_path)
    text = {"resourceType": "Composition", "id": "r-text", "status": "preliminary", "title": "CT"}
    room.desk.hold(text | {"section": [a_section("59776-5", *OLD), a_section("19005-8", "Normal.")]})
    room.desk.hold({"resourceType": "Observation", "id": "r-2", "status": "final", "valueString": "a"})
    link = {"url": COMPOSITION, "valueReference": {"reference": "Composition/r-text"}}
    await room.draft(extension=[link], result=[{"reference": "Observation/r-2"}])
    await room.release()
    return room


async def written(room: ReadingRoom, *sections: dict[str, Any]) -> list[str]:
    """Where the text of the draft is refused; nothing when it is taken."""
    text = room.desk.held[composition_of(room.report().resource)].resource
    try:
        await room.write(writes.composition_written, {**text, "section": list(sections)})
    except FhirError as refusal:
        assert refusal.status == 422 and all(one.zh and one.en for one in refusal.issues)
        assert {one.detail for one in refusal.issues} == {"report.appended-changes"}
        assert not any(word in f"{one.en}{one.zh}" for one in refusal.issues for word in OLD), "no words of the report"
        return [one.at for one in refusal.issues]
    return []


@pytest.mark.clause("5.9.1")
@pytest.mark.parametrize(
    ("findings", "taken"),
    [
        (OLD, True),
        (["New above.", *OLD, "New below."], True),
        ([OLD[0], "Between.", OLD[1]], True),
        (["No embolism. Effusion on the left.", OLD[1]], True),
        ([OLD[0]], False),
        (OLD[::-1], False),
        (["Embolism.", OLD[1]], False),
        ([OLD[0], "Lungs clear but for a nodule"], False),
        ([OLD[0], "Never Lungs clear"], False),
        ([], False),
    ],
)
async def test_every_line_that_was_released_stays_whole_and_in_its_place(
    room: ReadingRoom, findings: list[str], taken: bool
) -> None:
    await room.amended("appended", "late-images")
    refused = await written(
        room, a_section("11329-0", "Smoker."), a_section("59776-5", *findings), a_section("19005-8", "Normal.")
    )
    assert refused == ([] if taken else ["Composition.section[1].text"])


async def test_a_section_a_result_and_the_conclusion_stay_too(room: ReadingRoom) -> None:
    await room.amended("appended", "late-images")
    assert await written(room, a_section("59776-5", *OLD)) == ["Composition.section"]
    for members, at in (
        ({"conclusion": "Embolism."}, "DiagnosticReport.conclusion"),
        ({"conclusion": None}, "DiagnosticReport.conclusion"),
        ({"result": []}, "DiagnosticReport.result"),
    ):
        with pytest.raises(FhirError) as refusal:
            await room.write_again(**members)
        assert [one.at for one in refusal.value.issues] == [at]
    await room.write_again(conclusion="No <embolism>. Nodule 4 mm.")


async def test_who_says_that_he_corrects_may_change_everything(room: ReadingRoom) -> None:
    await room.amended("corrected", "misread-finding", conclusion="Embolism.", result=[])
    assert await written(room, a_section("59776-5", "Embolism.")) == []


async def test_a_text_that_came_another_way_is_not_signed(room: ReadingRoom) -> None:
    """The draft names another text, which says nothing of what it is added to."""
    await room.amended("appended", "late-images")
    other = {"resourceType": "Composition", "id": "r-other", "status": "preliminary", "title": "CT"}
    room.desk.hold(other | {"section": [a_section("59776-5", "Embolism."), a_section("19005-8", "Normal.")]})
    link = {"url": COMPOSITION, "valueReference": {"reference": "Composition/r-other"}}
    kept = [one for one in room.report().resource["extension"] if one["url"] != COMPOSITION]
    await room.write_again(extension=[*kept, link])
    await room.stood_for()
    with pytest.raises(FhirError) as refusal:
        await room.sign(AUTHOR, "author")
    assert [one.at for one in refusal.value.issues] == ["Composition.section[0].text"]
    await room.write_again(extension=kept)
    with pytest.raises(FhirError) as refusal:
        await room.sign(AUTHOR, "author")
    assert [one.at for one in refusal.value.issues] == ["DiagnosticReport.extension"]
    assert room.desk.held[REPORT].resource["status"] == "final"
