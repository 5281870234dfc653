"""The words of a report are checked before they are signed; what is questioned is corrected or answered for by name."""

import sys
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.checks.shape import check
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Call, Resource
from slipring_report.vocabulary import COMPOSITION, TEXT_CHECK, TEXT_PLACE

from tests.support.alerting import a_catalogue, an_entry

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, PATIENT, REQUEST, ReadingRoom, named
from slipring_report.handlers import flagging, signing_input, text_checks

CODES = {"findings": "59776-5", "impression": "19005-8", "comparison": "18834-2"}
BY = {"valueReference": {"reference": AUTHOR}}


def a_composition(**sections: str) -> Resource:
    return {
        "resourceType": "Composition",
        "id": "r-text",
        "status": "preliminary",
        "section": [
            {
                "code": {"coding": [{"system": "http://loinc.org", "code": CODES[name]}]},
                "text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{text}</div>'},
            }
            for name, text in sections.items()
        ],
    }


async def drafted(room: ReadingRoom, **sections: str) -> None:
    room.desk.hold(a_composition(**sections))
    room.desk.hold({"resourceType": "Patient", "id": "o-p", "gender": "female", "birthDate": "1960-01-01"})
    request = {"code": {"text": "胸部CT"}, "subject": {"reference": PATIENT}}
    room.desk.hold({"resourceType": "ServiceRequest", "id": "o-q", **request})
    extension = {"url": COMPOSITION, "valueReference": {"reference": "Composition/r-text"}}
    await room.draft(extension=[extension], conclusion=None)


@pytest.fixture
def room(tmp_path: Path) -> ReadingRoom:
    return ReadingRoom(tmp_path)


async def told(room: ReadingRoom, **values: Any) -> dict[str, Resource]:
    answer = (await room.call(text_checks.text_checked, **values)).answer
    assert answer is not None
    issues = [part["resource"] for part in answer["parameter"] if part["name"] == "issue"]
    return {place(issue)["check"]: issue for issue in issues}


def place(issue: Resource) -> dict[str, Any]:
    [found] = [one for one in issue["extension"] if one["url"] == TEXT_PLACE]
    return {part["url"]: next(v for k, v in part.items() if k.startswith("value")) for part in found["extension"]}


def key_of(issue: Resource) -> dict[str, str]:
    return {"valueString": next(one["value"] for one in issue["identifier"] if one["system"] == TEXT_CHECK)}


@pytest.mark.clause("5.8.3")
async def test_what_the_words_show_is_told_with_section_and_place_and_nothing_is_stored(room: ReadingRoom) -> None:
    await drafted(room, findings="右肺结节直径约8，边缘清。", impression="右肺结节。前列腺正常。")
    before = set(room.desk.held)
    found = await told(room)
    assert set(found) == {"unit", "sex-organ", "body-part"} and set(room.desk.held) == before
    where = place(found["unit"])
    assert where["section"] == "findings" and "右肺结节直径约8，边缘清。"[where["start"] : where["end"]] == "8"
    assert all(check({**issue, "id": "r-x"}) == [] for issue in found.values())
    assert all(issue["severity"] == "moderate" for issue in found.values()), "it asks; it does not decide"


async def test_words_that_are_not_stored_yet_are_checked_against_the_request(room: ReadingRoom) -> None:
    await drafted(room, findings="双肺清晰。", impression="未见异常。")
    text = {"findings": {"valueString": "子宫未见异常。"}, "impression": {"valueString": "未见异常。"}}
    values = [{"name": name, **value} for name, value in text.items()]
    values.append({"name": "request", "valueReference": {"reference": REQUEST}})
    answer = (
        await text_checks.text_checked(Call({"resourceType": "Parameters", "parameter": values}), room.desk)
    ).answer
    assert answer is not None
    [issue] = [part["resource"] for part in answer["parameter"] if part["name"] == "issue"]
    assert place(issue)["check"] == "body-part" and "implicated" not in issue
    assert (await told(room)) == {} and set(await told(room, findings=text["findings"])) == {"body-part"}


async def test_a_request_nobody_knows_is_refused(room: ReadingRoom) -> None:
    values = [{"name": "request", "valueReference": {"reference": "ServiceRequest/o-none"}}]
    with pytest.raises(FhirError) as refused:
        await text_checks.text_checked(Call({"resourceType": "Parameters", "parameter": values}), room.desk)
    assert refused.value.issues[0].detail == "report.text-request"


@pytest.mark.clause("5.9.1")
async def test_a_critical_finding_in_words_is_told_until_it_is_flagged(room: ReadingRoom) -> None:
    await drafted(room, findings="右侧气胸，肺压缩约40%。左侧未见气胸。", impression="右侧气胸。")
    [(name, issue)] = (await told(room)).items()
    assert name == "critical-unflagged" and place(issue)["finding"] == "CV-CT-07"
    assert "气胸" in issue["detail"] and place(issue)["certainty"] == "definite"
    finding = {"system": f"{CANONICAL}/CodeSystem/critical-finding", "code": "CV-CT-07"}
    await room.call(flagging.finding_flagged, finding={"valueCoding": finding})
    assert await told(room) == {}


async def test_an_organ_that_was_taken_out_is_looked_for_when_it_is_named(room: ReadingRoom) -> None:
    await drafted(room, findings="所见脾脏大小正常。", impression="未见异常。")
    assert await told(room) == {}
    assert set(await told(room, removed={"valueString": "脾"})) == {"removed-organ"}


async def test_a_named_person_answers_and_the_answer_stands_until_the_words_change(room: ReadingRoom) -> None:
    await drafted(room, findings="子宫未见异常。", impression="未见异常。")
    issue = (await told(room))["body-part"]
    changes = await room.call(
        text_checks.check_answered, key=key_of(issue), reason={"valueString": "扫描范围已扩大至盆腔"}, by=BY
    )
    [kept] = [save.resource for save in changes.save]
    assert check(kept) == [] and kept["mitigation"][0]["author"]["reference"] == AUTHOR
    assert kept["mitigation"][0]["action"]["text"] == "扫描范围已扩大至盆腔"
    again = (await told(room))["body-part"]
    assert again["mitigation"] == kept["mitigation"], "it is shown again, as answered"
    room.desk.hold(a_composition(findings="子宫及附件区未见异常。", impression="未见异常。"))
    assert "mitigation" not in (await told(room))["body-part"]


@pytest.mark.parametrize(
    ("values", "detail"),
    [
        ({"reason": {"valueString": " "}, "by": BY}, "report.text-reason"),
        ({"key": {"valueString": "another"}, "reason": {"valueString": "why"}, "by": BY}, "report.text-key"),
        ({"reason": {"valueString": "why"}}, "report.work-person-missing"),
    ],
    ids=["no reason", "nothing of that key", "nobody"],
)
async def test_an_answer_without_person_reason_or_question_is_refused(
    room: ReadingRoom, values: dict[str, Any], detail: str
) -> None:
    await drafted(room, findings="子宫未见异常。", impression="未见异常。")
    issue = (await told(room))["body-part"]
    with pytest.raises(FhirError) as refused:
        await room.call(text_checks.check_answered, **{"key": key_of(issue), **values})
    assert refused.value.issues[0].detail == detail


@pytest.mark.clause("5.8.3")
async def test_nobody_signs_over_a_question_that_nobody_has_answered(room: ReadingRoom) -> None:
    await drafted(room, findings="子宫未见异常。", impression="未见异常。")
    refused = await room.sign(AUTHOR, "author")
    assert refused.refuse is not None and refused.refuse.status == 422 and room.status == "partial"
    [problem] = refused.refuse.issues
    assert problem.detail == "report.text-body-part" and problem.zh and problem.en and "59776-5" in problem.at
    assert len(refused.save) == 1, "what was in the way is on record"
    assert not (await room.sign(AUTHOR, "author")).save, "and once is enough"
    issue = (await told(room))["body-part"]
    await room.call(text_checks.check_answered, key=key_of(issue), reason={"valueString": "盆腔已扫描"}, by=BY)
    first = await room.jws(AUTHOR, "author")
    assert (await room.sign(AUTHOR, "author", jws=first)).refuse is None and room.status == "preliminary"
    shown = named((await room.call(signing_input.signing_input_asked, role={"valueCode": "reviewer"})).answer)["issue"]
    assert shown["resource"]["mitigation"][0]["action"]["text"] == "盆腔已扫描", "the second signer reads it too"
    await room.release_second(first)
    assert room.status == "final"


@pytest.mark.clause("5.9.1")
async def test_a_critical_finding_in_words_is_flagged_or_said_to_be_none_before_it_is_signed(room: ReadingRoom) -> None:
    await drafted(room, findings="右侧气胸。", impression="右侧气胸。脾破裂可能。")
    details = {issue.detail for issue in (await room.sign(AUTHOR, "author")).refuse.issues}  # type: ignore[union-attr]
    assert details == {"report.text-critical-unflagged"}
    finding = {"system": f"{CANONICAL}/CodeSystem/critical-finding", "code": "CV-CT-07"}
    await room.call(flagging.finding_flagged, finding={"valueCoding": finding})
    issue = (await told(room))["critical-unflagged"]
    assert place(issue)["finding"] == "CV-CT-11"
    await room.call(text_checks.check_answered, key=key_of(issue), reason={"valueString": "已排除，非危急值"}, by=BY)
    assert (await room.sign(AUTHOR, "author")).refuse is None and room.status == "preliminary"


async def test_a_report_of_one_conclusion_is_not_asked_for_sections_it_does_not_have(room: ReadingRoom) -> None:
    await room.draft(conclusion="No fracture.")
    assert (await room.sign(AUTHOR, "author")).refuse is None


async def test_nobody_answers_in_a_report_that_is_released(room: ReadingRoom) -> None:
    await drafted(room, findings="双肺清晰。", impression="未见异常。")
    await room.release()
    with pytest.raises(FhirError) as refused:
        await room.call(text_checks.check_answered, key={"valueString": "x"}, reason={"valueString": "why"}, by=BY)
    assert refused.value.status == 409


@pytest.mark.clause("5.8.3")
async def test_advice_on_words_and_stages_is_shown_and_stops_nobody(room: ReadingRoom) -> None:
    await drafted(room, findings="肝右叶见囊性灶，右肾囊性灶Bosniak VII。", impression="腔隙性脑梗塞。")
    found = await told(room)
    assert set(found) == {"wording", "staging"} and "脑梗死" in found["wording"]["detail"]
    assert (await room.sign(AUTHOR, "author")).refuse is None


@pytest.mark.clause("5.9.1")
async def test_what_the_department_itself_calls_critical_is_found_in_the_words_by_its_names_and_synonyms(
    room: ReadingRoom,
) -> None:
    own = an_entry("DEPT-01", "stat", "硬膜囊受压", "cord compression", "脊髓受压", "Cauda  equina (acute)")
    in_force = {"status": "active", "effectivePeriod": {"start": "2026-01-01T00:00:00Z"}}
    room.desk.hold(a_catalogue(own, an_entry("CV-CT-07", "stat", "", "", "胸膜腔积气"), **in_force))
    await drafted(room, findings="脊髓受压。", impression="脊髓受压。")
    for said, finding in (
        ("腰3水平硬膜囊受压。", "DEPT-01"),
        ("考虑脊髓受压。", "DEPT-01"),
        ("CAUDA EQUINA (ACUTE) is compressed.", "DEPT-01"),
        ("右侧胸膜腔积气。", "CV-CT-07"),
        ("未见脊髓受压。", ""),
        ("No cord compression.", ""),
        ("cord decompression", ""),
        ("cauda equina acute", ""),
    ):
        found = await told(room, findings={"valueString": said}, impression={"valueString": said})
        where = place(found["critical-unflagged"]) if "critical-unflagged" in found else {}
        assert where.get("finding", "") == finding, said
        assert not finding or where["end"] - where["start"] >= 4
    issue = (await told(room))["critical-unflagged"]
    assert "硬膜囊受压" in str(issue) and "cord compression" in str(issue)
    assert check(issue) == []


@pytest.mark.clause("5.9.1")
async def test_a_finding_of_the_department_in_words_without_a_flag_keeps_the_signature_waiting(
    room: ReadingRoom,
) -> None:
    in_force = {"status": "active", "effectivePeriod": {"start": "2026-01-01T00:00:00Z"}}
    room.desk.hold(a_catalogue(an_entry("DEPT-01", "stat", "硬膜囊受压", "cord compression"), **in_force))
    await drafted(room, findings="腰3水平硬膜囊受压。", impression="硬膜囊受压。")
    details = {issue.detail for issue in (await room.sign(AUTHOR, "author")).refuse.issues}  # type: ignore[union-attr]
    assert details == {"report.text-critical-unflagged"}
    finding = {"system": f"{CANONICAL}/CodeSystem/critical-finding", "code": "DEPT-01"}
    await room.call(flagging.finding_flagged, finding={"valueCoding": finding})
    assert (await room.sign(AUTHOR, "author")).refuse is None
