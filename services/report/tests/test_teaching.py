"""Reports scored by a second person, and what was changed between draft and release (4.14.7, 5.6.1, 5.6.2.3)."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Changes
from slipring.qc.report.differences import Difference, difference
from slipring_report.handlers.differences import differences_told
from slipring_report.handlers.scoring import pass_rate_told, report_scored
from slipring_report.learning.scoring import most_of, shipped

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, REPORT, REVIEWER, ReadingRoom, a_physician, a_role, named

SCORER = "Practitioner/o-scorer"


async def a_room(tmp_path: Path) -> ReadingRoom:
    room = ReadingRoom(tmp_path)
    room.desk.hold(a_physician(SCORER, "L-7", "attending-physician", "2015-01-01"), source="order")
    room.desk.hold(a_role(SCORER, "radiologist", "level-c"), source="order")
    room.desk.caller = Caller("a-test", frozenset({"slipring/draft-read"}))
    await room.draft()
    return room


async def scored(room: ReadingRoom, by: str = SCORER, veto: str = "", **points: int) -> Changes:
    full = {link: int(most) for link, most in most_of(shipped()).items()} | points
    items: list[dict[str, Any]] = [{"linkId": k, "answer": [{"valueDecimal": v}]} for k, v in full.items()]
    items += [{"linkId": veto, "answer": [{"valueBoolean": True}]}] if veto else []
    response = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": items}
    return await room.call(report_scored, response={"resource": response}, by={"valueReference": {"reference": by}})


@pytest.mark.clause("4.14.7")
async def test_a_score_is_a_second_persons_and_the_newest_one_is_in_the_pass_rate(tmp_path: Path) -> None:
    assert sum(most_of(shipped()).values()) == 100
    room = await a_room(tmp_path)
    await room.release()
    for own in (AUTHOR, REVIEWER):
        with pytest.raises(FhirError) as refused:
            await scored(room, own)
        assert refused.value.issues[0].detail == "report.score-own"
    with pytest.raises(FhirError) as refused:
        await scored(room, description=31)
    assert refused.value.issues[0].detail == "report.score-points" and "description" in refused.value.issues[0].en
    poor = named((await scored(room, description=0)).answer)
    assert (poor["total"]["valueDecimal"], poor["grade"]["valueCode"], poor["passed"]["valueBoolean"]) == (
        70,
        "c",
        False,
    )
    told = (await pass_rate_told(Call({"resourceType": "Parameters"}), room.desk)).answer or {}
    parts = [{k["name"]: k for k in one["part"]} for one in told["parameter"] if one["name"] == "part"]
    means = {one["code"]["valueCode"]: one["mean"]["valueDecimal"] for one in parts}
    assert (means["description"], means["general"], len(means)) == (0, 10, 7), "no point is a point of nought, kept"
    assert parts[0]["en"]["valueString"] == "general data complete and correct"
    room.desk.now = room.desk.now.replace(minute=40)
    good = named((await scored(room, description=20)).answer)
    assert (good["total"]["valueDecimal"], good["grade"]["valueCode"]) == (Decimal(90), "a")
    rate = named((await pass_rate_told(Call({"resourceType": "Parameters"}), room.desk)).answer)
    assert (rate["numerator"]["valueInteger"], rate["denominator"]["valueInteger"]) == (1, 1)
    room.desk.now = room.desk.now.replace(minute=50)
    vetoed = named((await scored(room, veto="veto-side")).answer)
    assert (vetoed["total"]["valueDecimal"], vetoed["passed"]["valueBoolean"]) == (0, False)


@pytest.mark.clause("5.6.2.3 reports")
async def test_what_the_reviewer_changed_is_counted_by_section_and_author(tmp_path: Path) -> None:
    room = await a_room(tmp_path)
    assert (await room.sign(AUTHOR, "author")).refuse is None
    changed = {**room.report().resource, "conclusion": "A small <embolism>."}
    from slipring_report.handlers import writes

    await room.write(writes.report_written, changed)
    await room.release()
    answer = (await differences_told(Call({"resourceType": "Parameters"}), room.desk)).answer
    parts = {one["name"]: one for one in named(answer)["report"]["part"]}
    assert parts["report"]["valueReference"]["reference"] == REPORT and parts["changed"]["valueBoolean"] is True
    counts = {one["name"]: one.get("valueInteger") for one in parts["section"]["part"]}
    assert (counts["kept"], counts["added"], counts["removed"]) == (1, 2, 1)
    whole = named(answer)
    assert (whole["numerator"]["valueInteger"], whole["denominator"]["valueInteger"]) == (1, 1)
    assert 0.2 < whole["low"]["valueDecimal"] < 0.21 and whole["high"]["valueDecimal"] == 1
    who = {one["name"]: one for one in named(answer)["byAuthor"]["part"]}
    assert who["changed"]["valueInteger"] == 1
    assert who["author"]["valueReference"]["reference"] == AUTHOR and who["reports"]["valueInteger"] == 1
    room.desk.caller = Caller("a-ward", frozenset({"system/*.rs"}))
    with pytest.raises(FhirError) as refused:
        await differences_told(Call({"resourceType": "Parameters"}), room.desk)
    assert refused.value.status == 403, "for teaching, within the department"


def test_words_are_counted_in_both_languages_and_punctuation_does_not_count() -> None:
    assert difference("未见肺栓塞。", "未见肺栓塞") == Difference(5, 0, 0)
    assert difference("左肺 3.5 mm 结节", "右肺 3.5 mm 结节").added == 1
    assert difference("", "No embolism") == Difference(0, 2, 0)
