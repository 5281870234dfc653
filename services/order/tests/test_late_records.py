"""What already happened is always stored: late, by name, with a reason, and as a nonconformity."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Changes, Resource, Write
from slipring_order import resources
from slipring_order.handlers.exams import task_written
from slipring_order.life import discontinuing, late

from tests.support.desk import ADesk
from tests.support.ordering import a_desk, a_request, received, the_exam

PAST = {"start": "2026-03-02T20:00:00+08:00", "end": "2026-03-02T20:10:00+08:00"}
HIS = Caller("his", frozenset({"system/*.cruds"}))
MAY = Caller("room", frozenset({"system/*.cruds", late.RECORD_LATE}))


async def told(desk: ADesk, state: str = "acquired", **members: Any) -> Changes:
    exam = await the_exam(desk)
    task = exam | {"businessStatus": resources.state_concept(state), "executionPeriod": PAST} | members
    return await task_written(Write("update", task, await desk.read(f"Task/{exam['id']}")), desk)


def a_whole_record() -> dict[str, Any]:
    return {"owner": {"reference": "Practitioner/o-rad"}, "statusReason": {"text": "网络中断期间急诊检查"}}


async def waits(desk: ADesk) -> list[Resource]:
    return [one.resource for one in await desk.search("Task?code=late-record&status=requested")]


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize("state", ["acquired", "discontinued"])
async def test_a_fact_is_stored_by_name_with_a_reason_and_opens_a_nonconformity(state: str) -> None:
    desk = a_desk(caller=MAY)
    await received(desk, a_request(note=None))
    reason = discontinuing.reason_concept("110515")
    members = a_whole_record() | ({"statusReason": reason} if state == "discontinued" else {})
    exam = await the_exam(desk)
    task = exam | {"businessStatus": resources.state_concept(state), "executionPeriod": PAST} | members
    changes = await told(desk, state, **members)
    desk.carry_out(changes, task)
    exam = await the_exam(desk)
    assert (resources.state_of(exam), exam["executionPeriod"]) == (state, PAST)
    [opened] = [one.resource for one in await desk.search("Task?code=nonconformity")]
    assert opened["reasonCode"]["coding"][0]["code"] == "CL02-A011:5.4.1"
    assert opened["input"][0]["valueCodeableConcept"]["coding"][0]["code"] == "awaiting-information"


async def test_without_the_right_it_is_403_and_what_was_sent_is_kept_once() -> None:
    desk = a_desk(caller=HIS)
    await received(desk, a_request(note=None))
    for _ in range(2):
        changes = await told(desk, **a_whole_record())
        assert changes.refuse and (changes.refuse.status, changes.refuse.issues[0].detail) == (403, "order.late-record")
        desk.carry_out(changes)
    [kept] = await waits(desk)
    sent = json.loads(base64.b64decode(kept["input"][0]["valueAttachment"]["data"]))
    assert sent["executionPeriod"] == PAST and sent["statusReason"] == a_whole_record()["statusReason"]
    desk.caller = MAY
    desk.carry_out(await told(desk, **a_whole_record()))
    assert await waits(desk) == []


@pytest.mark.parametrize("missing", ["owner", "statusReason"])
async def test_a_late_record_names_a_person_and_a_reason(missing: str) -> None:
    desk = a_desk(caller=MAY)
    await received(desk, a_request(note=None))
    with pytest.raises(FhirError) as refused:
        await told(desk, **{name: value for name, value in a_whole_record().items() if name != missing})
    assert refused.value.issues[0].at == f"Task.{missing}"


@pytest.mark.parametrize("period", [{}, {"start": PAST["start"]}, {"end": "2026-03-04T08:00:00+08:00"}])
async def test_what_is_not_over_is_no_late_record_but_an_illegal_move(period: Resource) -> None:
    desk = a_desk(caller=MAY)
    await received(desk, a_request(note=None))
    with pytest.raises(FhirError) as refused:
        await told(desk, **a_whole_record() | {"executionPeriod": period})
    assert refused.value.status == 409


async def test_a_scan_that_was_done_although_the_order_was_taken_back_is_a_fact_too() -> None:
    desk = a_desk(caller=MAY)
    await received(desk, a_request())
    await received(desk, a_request(status="revoked"))
    assert (await told(desk, **a_whole_record())).refuse is None
