"""CT diagnosis held against pathology and clinic, per body system and quarter (5.6.2.3, 5.9.1)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Ahead, Call, Changes, Stored, Write
from slipring_order.catalogue import exams
from slipring_report.handlers import learning_records
from slipring_report.handlers.concordance import concordance_recorded, concordance_told
from slipring_report.handlers.differences import differences_told
from slipring_report.learning.systems import systems_of

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, REPORT, REVIEWER, ReadingRoom

HEAD = {"coding": [{"system": "http://loinc.org", "code": "24725-4"}]}
MISSED = {"cause": "missed", "measure": "training"}


async def a_released_report(tmp_path: Path, code: dict[str, Any] | None = None) -> ReadingRoom:
    room = ReadingRoom(tmp_path)
    await room.draft(code=code or HEAD)
    await room.release()
    return room


def coded(system: str, code: str) -> dict[str, Any]:
    return {"valueCodeableConcept": {"coding": [{"system": f"{CANONICAL}/CodeSystem/{system}", "code": code}]}}


async def assessed(room: ReadingRoom, against: str, grade: str, **said: Any) -> Changes:
    values: dict[str, Any] = {"against": {"valueCode": against}, "grade": {"valueCode": grade}}
    values["by"] = {"valueReference": {"reference": said.pop("by", REVIEWER)}}
    for name in ("cause", "measure"):
        if name in said:
            values[name] = coded(f"discordance-{name}", said.pop(name))
    values |= {
        name: {"valueString": value} for name, value in ({"diagnosis": "adenocarcinoma"} | said).items() if value
    }
    return await room.call(concordance_recorded, **values)


async def table(room: ReadingRoom) -> dict[tuple[str, str], dict[str, Any]]:
    answer = (await concordance_told(Call({"resourceType": "Parameters"}), room.desk)).answer
    assert answer is not None
    rows = [one["part"] for one in answer["parameter"] if one["name"] == "row"]
    return {(key(row, "system")["code"], key(row, "against")): {one["name"]: one for one in row} for row in rows}


def key(row: list[dict[str, Any]], name: str) -> Any:
    return next(
        value for one in row if one["name"] == name for label, value in one.items() if label.startswith("value")
    )


@pytest.mark.clause("5.6.2.3 reports")
def test_every_exam_of_the_catalogue_shows_the_same_systems_here() -> None:
    for code, exam in exams().items():
        if code in (exam.code, exam.loinc):
            assert systems_of({"code": {"coding": [{"code": code}]}}) == exam.systems, code


@pytest.mark.clause("5.6.2.3 reports")
@pytest.mark.clause("4.14.7")
async def test_a_row_has_its_cases_its_interval_its_causes_and_what_is_missing(tmp_path: Path) -> None:
    room = await a_released_report(tmp_path)
    room.desk.caller = Caller("a-test", frozenset({"slipring/draft-read"}))
    before = await table(room)
    assert len(before) == 12 and all("rate" not in row for row in before.values()), "no case is no rate"
    assert all(row["denominator"]["valueInteger"] == 0 for row in before.values())
    assert before["B1", "pathology"]["missing"]["valueCode"] == "reports-without-reference"
    assert before["B6", "clinical"]["missing"]["valueCode"] == "no-data"
    assert before["B1", "pathology"]["withoutReference"]["valueInteger"] == 1
    assert (await assessed(room, "pathology", "discordant", **MISSED)).refuse is None
    row = (await table(room))["B1", "pathology"]
    assert (row["numerator"]["valueInteger"], row["denominator"]["valueInteger"]) == (0, 1)
    assert row["low"]["valueDecimal"] == 0 and 0.79 < row["high"]["valueDecimal"] < 0.8
    assert [part["valueCode"] for part in row["cause"]["part"][:2]] == ["missed", "training"]
    assert row["member"]["part"][0]["valueReference"]["reference"] == REPORT
    assert (await table(room))["B1", "clinical"]["denominator"]["valueInteger"] == 0
    room.desk.now = room.desk.now.replace(minute=30)
    await assessed(room, "pathology", "concordant")
    row = (await table(room))["B1", "pathology"]
    assert (row["numerator"]["valueInteger"], row["denominator"]["valueInteger"]) == (1, 1), "the newest counts"


async def test_all_reports_of_a_period_are_looked_at_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = await a_released_report(tmp_path)
    await assessed(room, "pathology", "concordant")
    ahead, late, desk = set[str](), list[str](), room.desk
    desk.caller = Caller("a-test", frozenset({"slipring/draft-read"}))
    read, search = desk.read, desk.search

    async def foresee(asked: Ahead) -> None:
        ahead.update(asked.references, asked.queries)

    async def one_read(reference: str) -> Stored | None:
        late.extend({reference} - ahead)
        return await read(reference)

    async def one_search(query: str) -> list[Stored]:
        late.extend({query} - ahead)
        return await search(query)

    for name, way in (("foresee", foresee), ("read", one_read), ("search", one_search)):
        monkeypatch.setattr(desk, name, way)
    for operation in (concordance_told, differences_told):
        assert (await operation(Call({"resourceType": "Parameters"}), desk)).answer
    assert {REPORT, f"Provenance?target={REPORT}"} <= ahead
    assert all("=ge" in one for one in late), "only what was there in the period is looked for by itself"


@pytest.mark.clause("5.9.1")
@pytest.mark.parametrize(
    ("said", "detail"),
    [
        ({"cause": "missed"}, "report.concordance-unexplained"),
        ({"cause": "other", "measure": "training"}, "report.concordance-note"),
        ({**MISSED, "diagnosis": ""}, "report.concordance-reference"),
    ],
)
async def test_a_discordant_case_without_cause_measure_or_reference_is_refused(
    tmp_path: Path, said: dict[str, str], detail: str
) -> None:
    room = await a_released_report(tmp_path)
    with pytest.raises(FhirError) as refused:
        await assessed(room, "pathology", "discordant", **said)
    assert refused.value.issues[0].detail == detail


async def test_an_exam_of_several_systems_asks_which(tmp_path: Path) -> None:
    room = await a_released_report(tmp_path, {"text": "全腹部CT"})
    with pytest.raises(FhirError) as refused:
        await assessed(room, "clinical", "concordant")
    assert refused.value.issues[0].detail == "report.concordance-system" and "B4, B5" in refused.value.issues[0].en


async def test_a_result_of_another_patient_and_a_draft_are_refused(tmp_path: Path) -> None:
    room = ReadingRoom(tmp_path)
    await room.draft(code=HEAD)
    with pytest.raises(FhirError) as refused:
        await assessed(room, "pathology", "concordant")
    assert refused.value.issues[0].detail == "report.concordance-not-released"
    await room.release()
    room.desk.hold({"resourceType": "DiagnosticReport", "id": "r-9", "subject": {"reference": "Patient/o-x"}})
    with pytest.raises(FhirError) as refused:
        await room.call(
            concordance_recorded,
            against={"valueCode": "pathology"},
            grade={"valueCode": "concordant"},
            result={"valueReference": {"reference": "DiagnosticReport/r-9"}},
            by={"valueReference": {"reference": AUTHOR}},
        )
    assert refused.value.issues[0].detail == "report.concordance-patient"


async def test_others_are_not_told_and_nobody_writes_a_record_by_hand(tmp_path: Path) -> None:
    room = await a_released_report(tmp_path)
    made = (await assessed(room, "clinical", "concordant")).save[0].resource
    room.desk.caller = Caller("a-ward", frozenset({"system/*.rs"}))
    with pytest.raises(FhirError) as refused:
        await concordance_told(Call({"resourceType": "Parameters"}), room.desk)
    assert refused.value.status == 403
    with pytest.raises(FhirError) as refused:
        await learning_records.response_written(Write("create", made), room.desk)
    assert refused.value.issues[0].detail == "report.learning-by-operation"
    assert (await learning_records.response_written(Write("create", made, imported=True), room.desk)).nothing
