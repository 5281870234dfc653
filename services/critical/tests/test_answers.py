"""Answers: who may give one, what must be read back, and what stops when it is given."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.service import Resource
from slipring_critical.cases.facts import case_facts

from tests.support.ringing import FINDING, ARinging, a_department, a_finding, a_handover, a_request, refused

RIGHT: dict[str, Any] = {"patientCheck": "0123", "finding": FINDING, "medium": "webhook"}
REQUESTER = {"reference": "Practitioner/o-requester"}
ACTION = {"text": "chest drain"}


async def an_open_case(holding: list[Resource] | None = None) -> ARinging:
    ringing = ARinging(*(holding or a_department()))
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())
    return ringing


def events(ringing: ARinging) -> list[str]:
    return [event.what for event in case_facts(ringing.case).events]


def attempts(ringing: ARinging) -> list[Resource]:
    return [s.resource for s in ringing.desk.held.values() if s.resource["resourceType"] == "Communication"]


async def test_a_right_read_back_stops_the_ringing_and_asks_for_an_action() -> None:
    ringing = await an_open_case()

    answer = await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)

    assert answer["businessStatus"]["coding"][0]["code"] == "read-back-confirmed"
    assert (answer["status"], answer["meta"]["versionId"]) == ("accepted", "2")
    assert (answer["owner"], answer["requester"]) == (REQUESTER, {"reference": "Practitioner/o-author"})
    assert [armed.wake.name for armed in ringing.armed.values()] == ["acted-overdue"]
    await ringing.wait(59)
    assert len(ringing.rung) == 2


async def test_the_receipt_stands_on_the_attempt_that_reached_the_receiver() -> None:
    ringing = await an_open_case()

    await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)

    received = [attempt for attempt in attempts(ringing) if "received" in attempt]
    assert [attempt["recipient"] for attempt in received] == [[REQUESTER]]
    assert len(attempts(ringing)) == 2


async def test_a_telephone_read_back_is_written_down_by_the_caller() -> None:
    ringing = await an_open_case()
    author = Caller("page", frozenset({"system/*.cruds"}), "Practitioner/o-author")

    await ringing.call(
        "acknowledge", author, receiver={"reference": "Practitioner/o-duty"}, **{**RIGHT, "medium": "phone"}
    )

    call = attempts(ringing)[-1]
    assert call["recipient"] == [{"reference": "Practitioner/o-duty"}]
    assert call["sender"] == {"reference": "Practitioner/o-author"}
    assert call["medium"][0]["coding"][0]["code"] == "phone"


async def test_a_person_signed_in_is_the_receiver_without_being_named() -> None:
    ringing = await an_open_case()

    await ringing.call("acknowledge", Caller("page", frozenset(), "Practitioner/o-duty"), **RIGHT)

    assert case_facts(ringing.case).receiver == "Practitioner/o-duty"


async def test_nobody_acknowledges_for_somebody_else_but_on_the_telephone() -> None:
    ringing = await an_open_case()
    author = Caller("page", frozenset(), "Practitioner/o-author")

    error = await refused(ringing.call("acknowledge", author, receiver=REQUESTER, **RIGHT))

    assert error.status == 403
    assert ringing.state == "notifying"


async def test_an_acknowledged_case_answers_a_second_call_with_the_same_state() -> None:
    ringing = await an_open_case()
    await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)
    before = ringing.case

    again = await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)

    assert again == before == ringing.case


@pytest.mark.parametrize("receiver", ["Practitioner/o-porter", "Practitioner/o-nobody"])
async def test_somebody_who_may_not_receive_is_kept_on_record_and_the_ringing_goes_on(receiver: str) -> None:
    ringing = await an_open_case()

    error = await refused(ringing.call("acknowledge", receiver={"reference": receiver}, **RIGHT))

    assert error.status == 403
    assert case_facts(ringing.case).events[-1].what == "reached-not-authorised"
    assert case_facts(ringing.case).events[-1].who == receiver
    await ringing.wait(3)
    assert len(ringing.rung) == 5


@pytest.mark.parametrize(
    ("wrong", "rules"),
    [
        ({"patientCheck": "0124"}, ["critical.read-back-number"]),
        ({"finding": "CV-CT-08"}, ["critical.read-back-finding"]),
        ({"patientCheck": "9", "finding": ""}, ["critical.read-back-number", "critical.read-back-finding"]),
    ],
)
async def test_a_wrong_read_back_keeps_the_case_open_and_is_on_record(wrong: dict[str, Any], rules: list[str]) -> None:
    ringing = await an_open_case()

    error = await refused(ringing.call("acknowledge", receiver=REQUESTER, **{**RIGHT, **wrong}))

    assert error.status == 422
    assert [issue.detail for issue in error.issues] == rules
    assert "0123" not in "".join(issue.en + issue.zh for issue in error.issues)
    assert (ringing.state, events(ringing)[-1]) == ("notifying", "read-back-mismatch")
    assert ringing.silent_cases() == []


async def test_after_two_wrong_read_backs_the_next_step_rings() -> None:
    ringing = await an_open_case()
    for _ in range(2):
        await refused(ringing.call("acknowledge", receiver=REQUESTER, **{**RIGHT, "patientCheck": "9999"}))

    await ringing.settle()

    assert ringing.rung[2:] == ["requester.test", "ward.test", "duty.test"]
    assert case_facts(ringing.case).mismatches == 0


async def test_an_exam_without_an_imaging_number_cannot_be_read_back() -> None:
    ringing = await an_open_case([a_request(identifier=[]), *a_department()[1:]])

    error = await refused(ringing.call("acknowledge", receiver=REQUESTER, **RIGHT))

    assert error.status == 409
    assert events(ringing)[-1] == "read-back-not-possible"


async def test_an_unknown_medium_is_refused() -> None:
    ringing = await an_open_case()

    error = await refused(ringing.call("acknowledge", receiver=REQUESTER, **{**RIGHT, "medium": "pigeon"}))

    assert error.status == 422


async def test_an_action_closes_the_case_and_nothing_waits_any_more() -> None:
    ringing = await an_open_case()
    await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)

    closed = await ringing.call("act", action=ACTION, note="drain in place at 12:20")

    assert (closed["status"], ringing.state) == ("completed", "closed")
    assert closed["output"][0]["valueCodeableConcept"] == ACTION
    assert closed["note"][0]["text"] == "drain in place at 12:20"
    assert events(ringing)[-3:] == ["read-back-confirmed", "acted", "closed"]
    assert ringing.armed == {}
    assert await ringing.call("act", action=ACTION) == ringing.case


async def test_nothing_is_done_about_a_case_that_nobody_has() -> None:
    ringing = await an_open_case()

    error = await refused(ringing.call("act", action=ACTION))

    assert error.status == 409
    assert "$acknowledge" in error.issues[0].en


async def test_an_action_that_says_nothing_is_refused() -> None:
    ringing = await an_open_case()
    await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)

    assert (await refused(ringing.call("act", action={"id": "empty"}))).status == 400


async def test_acknowledged_and_then_silence_reopens_the_case_and_rings_again() -> None:
    ringing = await an_open_case()
    await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)

    await ringing.wait(60)

    assert ringing.state == "reopened"
    assert ringing.rung[2:] == ["requester.test"]
    assert ringing.silent_cases() == []
    await ringing.call("act", action=ACTION)
    assert ringing.state == "closed"


async def test_a_reopened_case_whose_owner_has_no_route_rings_everyone() -> None:
    ringing = await an_open_case()
    await ringing.call("acknowledge", receiver={"reference": "Practitioner/o-duty"}, **RIGHT)

    await ringing.wait(60)

    assert ringing.rung[2:] == ["requester.test", "ward.test", "duty.test", "head.test", "affairs.test"]


async def test_a_reopened_case_can_be_read_back_again() -> None:
    ringing = await an_open_case()
    await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)
    await ringing.wait(60)

    await ringing.call("acknowledge", receiver={"reference": "Practitioner/o-duty"}, **RIGHT)

    assert ringing.state == "read-back-confirmed"
    assert case_facts(ringing.case).receiver == "Practitioner/o-duty"


async def test_the_timeline_tells_every_step_every_attempt_and_every_answer_in_order() -> None:
    ringing = await an_open_case()
    await ringing.wait(3)  # answered in the very instant in which the second step rang
    await ringing.call("acknowledge", receiver=REQUESTER, **RIGHT)

    told = await ringing.call("timeline")

    rows = [{p["name"]: next(v for k, v in p.items() if k != "name") for p in e["part"]} for e in told["parameter"][1:]]
    assert told["parameter"][0] == {"name": "state", "valueCode": "read-back-confirmed"}
    assert [row["what"] for row in rows] == [
        *("opened", "step", "sent", "sent"),
        *("step", "sent", "sent", "sent"),
        *("read-back-confirmed", "received"),
    ]
    assert all(row["attempt"].startswith("attempt-") for row in rows if row["what"] == "sent")
    assert [row["when"] for row in rows] == sorted(row["when"] for row in rows)


async def test_a_task_that_is_no_case_has_no_timeline() -> None:
    ringing = ARinging(a_request())
    ringing.desk.hold({**a_handover(), "code": {"coding": [{"system": "x", "code": "critical-case"}]}})
    from slipring.fhir.service import Call
    from slipring_critical.answering.answers import timeline

    target = ringing.desk.held["Task/r-handover"]

    assert (await refused(timeline(Call({"resourceType": "Parameters"}, target), ringing.desk))).status == 422
