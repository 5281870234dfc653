"""Who has a case in hand: one reader, for a while, renewed, given back, run out, or taken over by name (5.6.1)."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Due
from slipring_report.handlers import claims, reading_list
from slipring_report.vocabulary import TASK_CODE

from tests.support.desk import ANYONE

sys.path.insert(0, str(Path(__file__).parent))
from worklist_room import AUTHOR, NINE, READING, REVIEWER, WorklistRoom, an_exam, parts, what


async def a_room(**exam: str) -> WorklistRoom:
    room = WorklistRoom()
    await room.told(an_exam(**exam))
    return room


def reason(refused: pytest.ExceptionInfo[FhirError]) -> tuple[int, str, str]:
    issue = refused.value.issues[0]
    assert issue.zh and issue.en
    return refused.value.status, issue.detail, issue.at


@pytest.mark.clause("5.6.1")
async def test_two_readers_cannot_hold_one_case_and_the_second_is_told_who_has_it() -> None:
    room = await a_room()
    answer = parts((await room.claim(AUTHOR)).answer)
    assert room.state == ["claimed", "running"] and room.reading["owner"] == {"reference": AUTHOR}
    assert answer["until"]["valueInstant"] == "2026-03-02T01:30:00.000Z"
    with pytest.raises(FhirError) as refused:
        await room.claim(REVIEWER)
    assert reason(refused) == (409, "report.case-held", "Task.owner") and AUTHOR in refused.value.issues[0].en
    assert room.reading["owner"] == {"reference": AUTHOR}


async def test_a_claim_runs_out_and_the_case_is_anybodys_again() -> None:
    room = await a_room()
    await room.claim(AUTHOR, minutes={"valueInteger": 10})
    await room.wait(10)
    assert room.state == ["unread", "running"] and "owner" not in room.reading
    await room.claim(REVIEWER)
    assert room.reading["owner"] == {"reference": REVIEWER}


async def test_a_renewed_claim_stands_until_its_new_end_and_keeps_its_beginning() -> None:
    room = await a_room()
    await room.claim(AUTHOR, minutes={"valueInteger": 10})
    await room.wait(9)
    await room.call(claims.claim_renewed, by={"valueReference": {"reference": AUTHOR}}, minutes={"valueInteger": 10})
    await room.wait(9)
    assert room.state[0] == "claimed" and what(room.reading, "input")["claimed-at"] == "2026-03-02T01:00:00.000Z"
    await room.wait(1)
    assert room.state[0] == "unread"
    with pytest.raises(FhirError) as refused:
        await room.call(claims.claim_renewed, by={"valueReference": {"reference": AUTHOR}})
    assert refused.value.status == 409 and "claim" in refused.value.issues[0].en


async def test_a_lease_that_is_over_holds_nothing_although_its_timer_is_late() -> None:
    room = await a_room()
    await room.claim(AUTHOR, minutes={"valueInteger": 10})
    room.desk.now += timedelta(minutes=11)  # the worker was paused
    with pytest.raises(FhirError) as refused:
        await room.call(claims.claim_renewed, by={"valueReference": {"reference": AUTHOR}})
    assert reason(refused)[1] == "report.case-not-held"
    await room.claim(REVIEWER)
    assert room.reading["owner"] == {"reference": REVIEWER}
    await room.wait(0)
    assert room.reading["owner"] == {"reference": REVIEWER}, "the old timer ends no new claim"


async def test_a_timer_of_an_earlier_claim_ends_no_later_one() -> None:
    room = await a_room()
    await room.claim(AUTHOR, minutes={"valueInteger": 10})
    [(_, armed)] = [timer for key, timer in room.timers.items() if key.startswith("claim:")]
    await room.wait(9)
    await room.claim(AUTHOR, minutes={"valueInteger": 30})
    late = Due(armed.name, armed.subject, armed.key, room.desk.now, armed.payload)  # taken before it was armed anew
    assert (await claims.claim_over(late, room.desk)).nothing


async def test_only_the_holder_renews_and_gives_back() -> None:
    room = await a_room()
    await room.claim(AUTHOR)
    for operation in (claims.claim_renewed, claims.case_given_back):
        with pytest.raises(FhirError) as refused:
            await room.call(operation, by={"valueReference": {"reference": REVIEWER}})
        assert reason(refused) == (409, "report.case-not-held", "Task.owner")
    await room.call(
        claims.case_given_back, by={"valueReference": {"reference": AUTHOR}}, note={"valueString": "called away"}
    )
    assert room.state == ["unread", "running"] and room.reading["note"][0]["text"] == "called away"
    assert not [key for key in room.timers if key.startswith("claim:")]


async def test_a_take_over_is_by_name_with_a_reason_and_the_other_is_told() -> None:
    room = await a_room()
    await room.claim(AUTHOR)
    with pytest.raises(FhirError):
        await room.claim(REVIEWER, reason={"valueString": "  "})
    await room.claim(REVIEWER, reason={"valueString": "first reader is in the angio suite"})
    assert room.reading["owner"] == {"reference": REVIEWER}
    assert f"{AUTHOR} -> {REVIEWER}: first reader" in what(room.reading)["taken-over"]
    notices = [one.resource for one in await room.desk.search(f"Task?code={TASK_CODE}|notice")]
    assert [(one["owner"]["reference"], one["focus"]["reference"]) for one in notices] == [(AUTHOR, READING)]


async def test_whoever_is_nobody_or_not_allowed_claims_nothing() -> None:
    room = await a_room()
    with pytest.raises(FhirError) as nobody:
        await room.call(claims.reading_claimed)
    assert reason(nobody)[:2] == (422, "report.work-person-missing") and "by" in reason(nobody)[2]
    with pytest.raises(FhirError) as stranger:
        await room.claim("Practitioner/o-stranger")
    assert reason(stranger) == (422, "staff.unknown-person", "Parameters.parameter[0]")
    room.desk.caller = replace(ANYONE, practitioner=REVIEWER)
    with pytest.raises(FhirError) as borrowed:
        await room.claim(AUTHOR)
    assert reason(borrowed)[1] == "report.work-own-name"
    await room.call(claims.reading_claimed)
    assert room.reading["owner"] == {"reference": REVIEWER}


@pytest.mark.parametrize("minutes", [0, -5, 241])
async def test_a_claim_has_a_sensible_length(minutes: int) -> None:
    room = await a_room()
    with pytest.raises(FhirError) as refused:
        await room.claim(AUTHOR, minutes={"valueInteger": minutes})
    assert reason(refused) == (422, "report.claim-minutes", "Parameters.parameter[1]")


async def test_an_exam_that_is_scanned_anew_is_in_nobodys_hand() -> None:
    room = await a_room()
    await room.claim(AUTHOR)
    await room.told(an_exam("arrived"))
    assert room.state[0] == "awaiting-images" and "owner" not in room.reading and not room.timers
    with pytest.raises(FhirError) as refused:
        await room.claim(AUTHOR)
    assert reason(refused) == (409, "report.reading-illegal-move", "Task.businessStatus")


async def test_a_warning_while_somebody_reads_leaves_the_case_in_his_hand() -> None:
    room = await a_room(priority="stat")
    await room.claim(AUTHOR, minutes={"valueInteger": 60})
    await room.wait(31)
    assert room.state == ["claimed", "breached"] and room.reading["owner"] == {"reference": AUTHOR}
    await room.call(claims.case_given_back, by={"valueReference": {"reference": AUTHOR}})
    assert room.state == ["unread", "breached"]


async def test_the_list_is_by_urgency_with_figures_and_only_what_was_asked_for() -> None:
    room = await a_room()
    await room.told(an_exam(priority="stat") | {"id": "o-second"})
    await room.claim(AUTHOR)
    listed = parts_of(await room.call(reading_list.list_asked, ""))
    assert [one["clock"]["valueCode"] for one in listed] == ["green-channel", "ordinary"]
    assert (listed[0]["minutesLeft"]["valueInteger"], listed[1]["holder"]["valueReference"]["reference"]) == (
        30,
        AUTHOR,
    )
    assert listed[0]["clockEn"]["valueString"] == "30 min from the end of the exam"
    assert "（默认值，待确认）" in listed[1]["clockZh"]["valueString"]
    mine = parts_of(await room.call(reading_list.list_asked, "", owner={"valueReference": {"reference": AUTHOR}}))
    unread = parts_of(await room.call(reading_list.list_asked, "", state={"valueCode": "unread"}))
    assert [len(mine), len(unread)] == [1, 1] and unread[0]["clock"]["valueCode"] == "green-channel"
    soon = {"valueDateTime": (NINE + timedelta(hours=1)).isoformat()}
    assert len(parts_of(await room.call(reading_list.list_asked, "", dueBefore=soon))) == 1


@pytest.mark.parametrize(
    ("asked", "detail"),
    [
        ({"state": {"valueCode": "asleep"}}, "report.reading-list-code"),
        ({"dueBefore": {"valueDateTime": "soon"}}, "report.reading-list-moment"),
        ({"dueBefore": {"valueDateTime": "2026-03-02"}}, "report.reading-list-moment"),
        ({"count": {"valueInteger": 0}}, "report.reading-list-count"),
    ],
)
async def test_a_list_that_cannot_be_asked_for_so_says_what_is_wrong(
    asked: dict[str, dict[str, object]], detail: str
) -> None:
    room = await a_room()
    with pytest.raises(FhirError) as refused:
        await room.call(reading_list.list_asked, "", **asked)
    assert reason(refused)[:2] == (422, detail)


def parts_of(changes: object) -> list[dict[str, dict[str, object]]]:
    answer = changes.answer  # type: ignore[attr-defined]
    return [{part["name"]: part for part in one["part"]} for one in answer["parameter"] if one["name"] == "reading"]
