"""The hospital's own exam codes: the table is read line by line, two people make the map, the rules use it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource, Write
from slipring.staff.two_people import DRAFTED_BY
from slipring_order import catalogue, resources
from slipring_order.codes.concept_map import as_draft, difference, mapped, next_version
from slipring_order.codes.table import read_table
from slipring_order.handlers.maps import map_written
from slipring_order.judging.contrast import contrast_condition
from slipring_order.mapping_record import CODE_MAPPING
from slipring_order.offer.mapping import EXAM_SYSTEM

from tests.support.desk import ADesk
from tests.support.ordering import NOW, a_desk, a_request, findings, received

LOCAL = "urn:hospital:exam"
CSV = "代码,名称,目录代码\nCT001,头颅CT平扫,ct-head\nCT002,胸部CT增强,ct-chest-contrast\nCT009,骨密度,\n"


def a_map(content: str = CSV, **members: Any) -> Resource:
    table = read_table(content.encode())
    assert not table.problems
    return {**as_draft(table.rows, LOCAL, "urn:map", "1"), "id": "o-map", **members}


def named(code: str) -> Resource:
    return a_request(code={"coding": [{"system": LOCAL, "code": code}], "text": "院内项目"})


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (CSV.encode(), "utf-8"),
        (b"\xef\xbb\xbf" + CSV.encode(), "utf-8-sig"),
        (CSV.encode("gb18030"), "gb18030"),
        (CSV.encode("utf-16"), "utf-16"),
        (CSV.replace(",", ";").replace("\n", "\r\n").encode(), "utf-8"),
        (CSV.replace(",", "\t").encode(), "utf-8"),
    ],
)
def test_a_table_is_read_however_it_was_saved(content: bytes, encoding: str) -> None:
    table = read_table(content)
    assert (list(table.problems), table.encoding) == ([], encoding)
    assert [(row.line, row.code, row.display, row.target) for row in table.rows] == [
        (2, "CT001", "头颅CT平扫", "ct-head"),
        (3, "CT002", "胸部CT增强", "ct-chest-contrast"),
        (4, "CT009", "骨密度", ""),
    ]


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        ("", 0, "empty"),
        ("code,target\n", 0, "no line of data"),
        ("code,display\nA,x\n", 1, "missing"),
        ("code,target,colour\nA,ct-head,red\n", 1, "column 3"),
        ("code,target\nA,ct-head\n,ct-head\n", 3, "code is missing"),
        ("code,target\nA,ct-haed\n", 2, "ct-head"),
        ("code,target\nA,30799-1\n", 2, "no such code"),
        ("code,target\nA,ct-head\nB,ct-neck\nA,ct-neck\n", 4, "line 2 already"),
        ("code,target,equivalence\nA,ct-head,same\n", 2, "must be one of"),
        ("code,target,equivalence\nA,,wider\n", 2, "contradict"),
        ('code,target\nA,"ct-head\n', 2, "not closed"),
        (f"code,target\n{'A' * 201},ct-head\n", 2, "longer"),
        ("code,target\nA,ct-head,what\n", 2, "more cells"),
    ],
)
def test_each_problem_names_its_line_in_both_languages(content: str, line: int, said: str) -> None:
    [problem] = read_table(content.encode()).problems
    assert problem.line == line
    assert said in problem.en
    assert problem.zh
    assert any("\u4e00" <= character <= "\u9fff" for character in str(problem))


def test_bytes_that_are_no_text_are_refused_rather_than_guessed() -> None:
    for content in (b"\x00\x01\x02\x03", b"code,target\nA\x81\x30\x81\xff,ct-head", bytes(range(128, 200))):
        [problem] = read_table(content).problems
        assert "--encoding" in problem.en


@given(st.binary(max_size=300))
def test_any_file_gives_rows_or_problems_and_never_fails(content: bytes) -> None:
    table = read_table(content)
    assert table.problems or table.rows


@given(st.dictionaries(st.from_regex(r"[A-Z0-9]{1,8}", fullmatch=True), st.sampled_from(sorted(catalogue.own_codes()))))
def test_what_stands_in_the_table_stands_in_the_map(pairs: dict[str, str]) -> None:
    content = "code,target\n" + "".join(f"{code},{target}\n" for code, target in pairs.items())
    rows = read_table(content.encode()).rows
    draft = as_draft(rows, LOCAL, "urn:map", "1")
    assert mapped(draft) == {(LOCAL, code): (target, "equivalent") for code, target in pairs.items()}
    assert not difference(draft, draft)


def test_a_difference_says_what_comes_changes_and_goes() -> None:
    after = a_map("code,target\nCT001,ct-neck\nCT003,ct-head\n")
    change = difference(a_map(), after)
    assert list(change.added) == ["CT003 -> ct-head"]
    assert list(change.changed) == ["CT001: ct-head -> ct-neck"]
    assert list(change.removed) == ["CT002", "CT009"]
    assert next_version([{"version": "3"}, {"version": "x"}, {}]) == "4"


async def test_a_map_is_drafted_by_one_and_made_active_by_another() -> None:
    desk = a_desk(caller=Caller("first", frozenset()))
    noted = a_map(extension=[{"url": "urn:note", "valueString": "checked with the HIS"}])
    desk.carry_out(await map_written(Write("create", noted), desk), noted)
    draft = await desk.read("ConceptMap/o-map")
    assert draft
    active = {**deepcopy(draft.resource), "status": "active"}
    with pytest.raises(FhirError) as refused:
        await map_written(Write("update", active, draft), desk)
    assert (refused.value.status, refused.value.issues[0].detail) == (403, "order.map-second-person")
    forged = {**active, "extension": [{"url": DRAFTED_BY, "valueString": "somebody"}]}
    with pytest.raises(FhirError):
        await map_written(Write("update", forged, draft), desk)
    desk.caller = Caller("second", frozenset())
    altered = deepcopy(active)
    altered["group"][0]["element"][0]["target"][0]["code"] = "ct-neck"
    with pytest.raises(FhirError) as refused:
        await map_written(Write("update", altered, draft), desk)
    assert refused.value.issues[0].detail == "order.map-changed-on-approval"
    stripped = {**active, "extension": [e for e in active["extension"] if e["url"] != "urn:note"]}
    with pytest.raises(FhirError) as refused:
        await map_written(Write("update", stripped, draft), desk)
    assert refused.value.issues[0].detail == "order.map-changed-on-approval", "what was written beside it is lost"
    older = desk.hold({**active, "id": "o-older"})
    changes = await map_written(Write("update", active, draft), desk)
    assert [(save.resource["id"], save.resource["status"]) for save in changes.save] == [("o-older", "retired")]
    assert changes.save[0].replaces == older.version
    assert changes.members["extension"] == [
        {"url": "urn:note", "valueString": "checked with the HIS"},
        {"url": DRAFTED_BY, "valueString": "first"},
    ]


async def test_a_map_is_refused_when_it_begins_active_leads_nowhere_or_contradicts_another() -> None:
    desk = a_desk()
    with pytest.raises(FhirError) as refused:
        await map_written(Write("create", a_map(status="active")), desk)
    assert refused.value.issues[0].detail == "order.map-draft-first"
    wrong = a_map()
    wrong["group"][0]["element"][0]["target"][0]["code"] = "ct-haed"
    wrong["group"][0]["element"].append(deepcopy(wrong["group"][0]["element"][1]))
    with pytest.raises(FhirError) as refused:
        await map_written(Write("create", wrong), desk)
    assert [(issue.detail, issue.at) for issue in refused.value.issues] == [
        ("order.map-target", "ConceptMap.group[0].element[0].target[0].code"),
        ("order.map-twice", "ConceptMap.group[0].element[3]"),
    ]
    desk.hold({**a_map("code,target\nCT001,ct-neck\n"), "id": "o-other", "url": "urn:other", "status": "active"})
    draft = desk.hold(a_map(extension=[{"url": DRAFTED_BY, "valueString": "first"}]))
    with pytest.raises(FhirError) as refused:
        await map_written(Write("update", {**draft.resource, "status": "active"}, draft), desk)
    assert (refused.value.status, refused.value.issues[0].detail) == (409, "order.map-ambiguous")


async def test_a_map_into_another_catalogue_is_a_plain_record() -> None:
    other = a_map(status="active")
    other["group"][0]["target"] = "urn:elsewhere"
    changes = await map_written(Write("create", other), a_desk())
    assert not changes.save
    assert not changes.members


async def test_a_request_with_a_local_code_is_judged_as_the_exam_it_is_mapped_to() -> None:
    desk = a_desk(a_map(status="active", meta={"versionId": "2"}))
    exam = await received(desk, named("CT002"))
    stored = await desk.read("ServiceRequest/o-req")
    assert stored
    assert stored.resource["code"] == named("CT002")["code"], "what was received stays as it was"
    assert resources.state_of(exam) == "justified"
    assert await contrast_condition(stored.resource, "justified", desk) == "open"
    [entry] = exam["input"]
    assert entry["valueCodeableConcept"]["coding"][0] == {"system": EXAM_SYSTEM, "code": "ct-chest-contrast"}
    assert entry["valueCodeableConcept"]["coding"][1]["code"] in catalogue.exams()
    [guidance] = await desk.search("GuidanceResponse?subject=Patient/o-pat")
    used = next(e for e in guidance.resource["extension"] if e["url"] == CODE_MAPPING)
    parts = {part["url"]: part for part in used["extension"]}
    assert parts["map"]["valueReference"]["reference"] == "ConceptMap/o-map/_history/2"
    assert parts["source"]["valueCoding"] == {"system": LOCAL, "code": "CT002"}


@pytest.mark.parametrize("status", ["draft", "retired"])
async def test_a_map_that_is_not_current_translates_nothing(status: str) -> None:
    desk = a_desk(a_map(status=status))
    exam = await received(desk, named("CT002"))
    assert [coding["code"] for coding in exam["statusReason"]["coding"]] == ["body-site", "examination-code"]


@pytest.mark.parametrize("code", ["CT777", "CT009"])
async def test_a_local_code_without_a_fitting_exam_is_a_coded_missing_item(code: str) -> None:
    desk: ADesk = a_desk(a_map(status="active"))
    exam = await received(desk, {**named(code), "bodySite": [{"coding": [{"code": "CHEST"}]}]})
    assert resources.state_of(exam) == "awaiting-information"
    assert [coding["code"] for coding in exam["statusReason"]["coding"]] == ["examination-code"]
    assert findings(desk) == {"order.request-complete"}
    assert "input" not in exam
    # Once the code is mapped, the same request is judged anew and moves on.
    desk.hold(a_map(f"code,target\n{code},ct-chest\n", status="active"))
    exam = await received(desk, {**named(code), "bodySite": [{"coding": [{"code": "CHEST"}]}]})
    assert resources.state_of(exam) == "justified"


async def test_a_code_of_the_catalogue_beside_the_local_one_is_enough() -> None:
    request = named("CT777")
    request["code"]["coding"].append({"system": "http://loinc.org", "code": "24627-2"})
    assert resources.state_of(await received(a_desk(), request)) == "justified"


async def test_an_earlier_exam_with_a_local_code_is_an_earlier_exam_too() -> None:
    earlier = {**named("CT002"), "id": "o-old", "status": "completed", "occurrenceDateTime": NOW.isoformat()}
    with_map = a_desk(a_map(status="active"), earlier)
    await received(with_map, a_request())
    assert "order.repeat-exam" in findings(with_map)
