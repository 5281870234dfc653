"""Reading again without knowing who read before and what he saw: drawn by seed, graded, agreement with kappa (5.6.2.3)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Changes, Receiver
from slipring_report.handlers.agreement import agreement_told
from slipring_report.handlers.drawing import re_reading_drawn
from slipring_report.handlers.re_reading import re_read

sys.path.insert(0, str(Path(__file__).parent))
from reading_room import AUTHOR, REPORT, REVIEWER, ReadingRoom, a_physician, a_role

SECOND, DRAWER = "Practitioner/o-second", "Practitioner/o-drawer"
HEAD = {"coding": [{"system": "http://loinc.org", "code": "24725-4"}]}
SEEN = {"impression": {"valueString": "Small embolus."}, "category": {"valueCode": "significant"}}


async def a_room(tmp_path: Path) -> ReadingRoom:
    room = ReadingRoom(tmp_path)
    for who, licence in ((SECOND, "L-8"), (DRAWER, "L-9")):
        room.desk.hold(a_physician(who, licence, "attending-physician", "2015-01-01"), source="order")
        room.desk.hold(a_role(who, "radiologist", "level-c"), source="order")
    await room.draft(code=HEAD)
    await room.release()
    room.desk.caller = Caller("a-test", frozenset({"slipring/draft-read"}))
    return room


def by(who: str) -> dict[str, Any]:
    return {"valueReference": {"reference": who}}


async def drawn(room: ReadingRoom, *readers: str, **said: Any) -> Changes:
    listed = [{"name": "reader", **by(one)} for one in readers]
    values = {"size": {"valueInteger": 5}, "seed": {"valueString": "2026-Q1"}, "by": by(DRAWER)} | said
    listed += [{"name": name, **value} for name, value in values.items()]
    changes = await re_reading_drawn(Call({"resourceType": "Parameters", "parameter": listed}), room.desk)
    room.desk.carry_out(changes)
    return changes


async def a_case(room: ReadingRoom) -> str:
    changes = await drawn(room, REVIEWER, SECOND)
    [case] = [save.resource for save in changes.save if save.resource["code"]["coding"][0]["code"] == "re-reading"]
    return f"Task/{case['id']}"


async def read(room: ReadingRoom, case: str, **values: Any) -> Changes:
    room.at = case
    return await room.call(re_read, **({"by": by(SECOND)} | values))


async def agreement(room: ReadingRoom) -> list[dict[str, Any]]:
    answer = (await agreement_told(Call({"resourceType": "Parameters"}), room.desk)).answer
    assert answer is not None
    return list(answer["parameter"])


def value(parameters: list[dict[str, Any]], name: str) -> Any:
    return next(next(v for k, v in one.items() if k.startswith("value")) for one in parameters if one["name"] == name)


@pytest.mark.clause("5.6.2.3 reports")
async def test_what_is_drawn_names_neither_the_report_nor_who_signed_it_nor_what_it_says(tmp_path: Path) -> None:
    room = await a_room(tmp_path)
    changes = await drawn(room, REVIEWER, SECOND)
    told = json.dumps([save.resource for save in changes.save] + [changes.answer])
    for hidden in (REPORT, AUTHOR, REVIEWER, "embolism"):
        assert hidden not in told
    record, case = (save.resource for save in changes.save)
    assert case["owner"] == {"reference": SECOND}, "one of those who did not sign"
    kept = {one["type"]["text"]: one for one in record["input"]}
    assert kept["seed"]["valueString"] == "2026-Q1" and kept["population"]["valueUnsignedInt"] == 1
    assert len(kept["list-sha256"]["valueString"]) == 64 and kept["of-B1"]["valueUnsignedInt"] == 1


@pytest.mark.clause("5.6.2.3 reports")
@pytest.mark.clause("5.6.4")
async def test_the_first_reading_is_told_only_after_the_second_is_kept_and_then_it_is_graded(tmp_path: Path) -> None:
    room = await a_room(tmp_path)
    case = await a_case(room)
    with pytest.raises(FhirError) as refused:
        await read(room, case, grade={"valueCode": "agree"})
    assert refused.value.issues[0].detail == "report.learning-needed", "nothing is graded before it is read"
    first = (await read(room, case, **SEEN)).answer
    assert first is not None and value(first["parameter"], "impression") == "No <embolism>."
    assert {one["valueReference"]["reference"] for one in first["parameter"] if one["name"] == "signedBy"} == {
        AUTHOR,
        REVIEWER,
    }
    graded = {"grade": {"valueCode": "major"}, "firstCategory": {"valueCode": "negative"}}
    with pytest.raises(FhirError) as refused:
        await read(room, case, **graded)
    assert refused.value.issues[0].detail == "report.learning-needed", "a difference is explained"
    done = await read(room, case, **graded, note={"valueString": "missed"})
    [wrong] = [save.resource for save in done.save if "description" in save.resource]
    assert wrong["code"]["coding"][0]["code"] == "nonconformity" and wrong["focus"]["reference"] == REPORT
    assert room.desk.held[case].resource["status"] == "completed"
    found = await agreement(room)
    assert (value(found, "cases"), value(found, "agreed"), value(found, "open")) == (1, 0, 0)
    kappa = next(one["part"] for one in found if one["name"] == "kappa")
    assert value(kappa, "value") == 0


@pytest.mark.clause("5.6.2.3 reports")
async def test_a_reader_who_was_shown_the_report_is_counted_apart(tmp_path: Path) -> None:
    room = await a_room(tmp_path)
    case = await a_case(room)
    room.desk.shown_to = [Receiver("a-page", SECOND)]
    await read(room, case, **SEEN)
    await read(room, case, grade={"valueCode": "agree"}, firstCategory={"valueCode": "significant"})
    found = await agreement(room)
    assert (value(found, "cases"), value(found, "notBlind")) == (0, 1)
    assert not [one for one in found if one["name"] in ("rate", "kappa")], "no case is no rate"


@pytest.mark.clause("5.6.1")
async def test_nobody_reads_again_what_he_signed_or_drew_or_what_another_has(tmp_path: Path) -> None:
    room = await a_room(tmp_path)
    for readers, detail in (
        ([AUTHOR, REVIEWER], "report.re-reading-no-reader"),
        ([SECOND, DRAWER], "report.re-reading-drawer"),
        ([], "report.learning-needed"),
    ):
        with pytest.raises(FhirError) as refused:
            await drawn(room, *readers)
        assert refused.value.issues[0].detail == detail
    case = await a_case(room)
    with pytest.raises(FhirError) as refused:
        await read(room, case, **SEEN, by=by(DRAWER))
    assert refused.value.issues[0].detail == "report.re-reading-owner"
