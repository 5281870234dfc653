"""By whichever road an exam ends, the same is looked after: its check list, and what an emergency left open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.findings import rule_of
from slipring.fhir.service import Changes, Resource, Write
from slipring_order import resources
from slipring_order.dicom.step_facts import COMPLETED, DISCONTINUED, IN_PROGRESS, StepFacts
from slipring_order.handlers.aborts import ABORT_SYSTEM
from slipring_order.handlers.check_list import STEP_CHECK_LIST, checked
from slipring_order.handlers.evidence import images_written
from slipring_order.handlers.followed import report_arrived
from slipring_order.handlers.performed_steps import step_begun, step_changed
from slipring_order.handlers.performing import finished
from slipring_order.handlers.requests import request_written
from slipring_order.handlers.tasks import guarded
from slipring_order.life import discontinuing, late
from slipring_order.reading import instant

from tests.support.desk import ADesk
from tests.support.ordering import a_desk, a_request, decide, identity_confirmed, moved, received, the_exam
from tests.support.requesting import a_report, follow_ups
from tests.support.rooms import call

MAY = Caller("room", frozenset({"system/*.cruds", late.RECORD_LATE}))
WHO = ("Reference", {"reference": "Practitioner/o-rad"})
REASON = discontinuing.reason_concept("110515")
Road = Callable[[ADesk], Awaitable[None]]


async def passed(*, scanning: bool = True) -> ADesk:
    """An exam that one physician's word let pass, and that is being scanned."""
    desk = a_desk(caller=MAY)
    await received(desk, a_request(priority="stat", reasonCode=None, note=None))
    await decide(desk, "justified", "emergency")
    if scanning:
        await moved(desk, "arrived", "ready", "in-progress")
        desk.now += timedelta(minutes=9)
    return desk


async def exam_here(desk: ADesk) -> Any:
    return await desk.read(f"Task/{(await the_exam(desk))['id']}")


async def put(desk: ADesk, state: str, **members: Any) -> None:
    before = await exam_here(desk)
    task = deepcopy(before.resource) | {"businessStatus": resources.state_concept(state)} | members
    desk.carry_out(await guarded(Write("update", task, before), desk), task)


async def by_put(desk: ADesk) -> None:
    await put(desk, "acquired")


async def by_finish(desk: ADesk) -> None:
    desk.carry_out(await finished(call(await exam_here(desk), performer=WHO), desk))


async def by_scanner(desk: ADesk) -> None:
    number = (await the_exam(desk))["groupIdentifier"]["value"]
    begun = StepFacts("1.2.3", IN_PROGRESS, desk.now, imaging_numbers=(number,))
    desk.carry_out(await step_begun(begun, "Device/o-ct1", desk))
    desk.carry_out(await step_changed(StepFacts("1.2.3", COMPLETED, ended_at=desk.now), "Device/o-ct1", desk))


async def by_images(desk: ADesk) -> None:
    study = {"resourceType": "ImagingStudy", "id": "o-images", "basedOn": [{"reference": "ServiceRequest/o-req"}]}
    desk.hold(study)
    desk.carry_out(await images_written(Write("create", study), desk))


async def by_report(desk: ADesk) -> None:
    desk.carry_out(await report_arrived(a_report("final"), desk))


async def by_late_record(desk: ADesk) -> None:
    period = {"start": instant(desk.now - timedelta(minutes=9)), "end": instant(desk.now)}
    reason = {"text": "网络中断"}
    await put(desk, "acquired", executionPeriod=period, owner=WHO[1], statusReason=reason)


async def by_put_broken_off(desk: ADesk) -> None:
    await put(desk, "discontinued", statusReason=REASON)


async def by_finish_broken_off(desk: ADesk) -> None:
    given = {"performer": WHO, "outcome": ("Code", "discontinued"), "reason": ("CodeableConcept", REASON)}
    desk.carry_out(await finished(call(await exam_here(desk), **given), desk))


async def by_scanner_broken_off(desk: ADesk) -> None:
    number = (await the_exam(desk))["groupIdentifier"]["value"]
    begun = StepFacts("1.2.3", IN_PROGRESS, desk.now, imaging_numbers=(number,))
    desk.carry_out(await step_begun(begun, "Device/o-ct1", desk))
    desk.carry_out(await step_changed(StepFacts("1.2.3", DISCONTINUED, ended_at=desk.now), "Device/o-ct1", desk))


async def by_abort(desk: ADesk) -> None:
    abort: Resource = {
        "resourceType": "Task", "id": "o-abort", "status": "requested", "intent": "order",
        "code": {"coding": [{"system": ABORT_SYSTEM, "code": "abort"}]},
        "focus": {"reference": f"Task/{(await the_exam(desk))['id']}"}, "requester": WHO[1],
    }  # fmt: skip
    desk.carry_out(await guarded(Write("create", abort), desk), abort)
    answer = abort | {"status": "accepted", "owner": WHO[1]}
    desk.carry_out(await guarded(Write("update", answer, await desk.read("Task/o-abort")), desk), answer)


SCANNED: list[Road] = [by_put, by_finish, by_scanner, by_images, by_report, by_late_record]
BROKEN_OFF: list[Road] = [by_put_broken_off, by_finish_broken_off, by_scanner_broken_off, by_abort]


def lacking(desk: ADesk) -> list[Resource]:
    issues = [one.resource for one in desk.held.values() if one.resource["resourceType"] == "DetectedIssue"]
    return [issue for issue in issues if rule_of(issue) == STEP_CHECK_LIST]


@pytest.mark.clause("5.5.1.1")
@pytest.mark.parametrize("road", SCANNED)
async def test_what_the_check_list_lacks_is_on_record_once_by_whichever_road_the_exam_is_done(road: Road) -> None:
    desk = await passed(scanning=road is not by_late_record)
    await road(desk)
    assert resources.state_of(await the_exam(desk)) in ("acquired", "closed")
    [issue] = lacking(desk)
    assert "parameters" in issue["_detail"]["extension"][0]["extension"][1]["valueString"]


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize("road", [*SCANNED, *BROKEN_OFF])
async def test_a_late_record_that_was_kept_waits_no_more_once_the_exam_is_over_by_whichever_road(road: Road) -> None:
    desk = await passed(scanning=road is not by_late_record)
    desk.carry_out(Changes(save=await late.kept(await the_exam(desk), desk)))
    await road(desk)
    [kept] = await desk.search("Task?code=late-record")
    assert kept.resource["status"] == "completed"
    assert kept.resource.get("owner") == (WHO[1] if road is by_late_record else None)


@pytest.mark.parametrize("road", [*SCANNED, *BROKEN_OFF])
async def test_what_an_emergency_passed_is_due_from_the_end_of_the_exam_by_whichever_road(road: Road) -> None:
    desk = await passed(scanning=road is not by_late_record)
    await road(desk)
    [task] = await follow_ups(desk)
    ended_at = (await the_exam(desk))["executionPeriod"].get("end", instant(desk.now))
    assert task["restriction"]["period"]["start"] == instant(desk.now) == ended_at
    assert task["status"] == "requested"


async def test_what_the_list_lacked_is_confirmed_afterwards_and_the_finding_says_so() -> None:
    desk = await passed()
    await by_put(desk)
    desk.carry_out(await checked(identity_confirmed(await exam_here(desk), "parameters-set", "exam-done"), desk))
    [issue] = lacking(desk)
    assert issue["mitigation"][0]["action"]["coding"][0]["code"] == "answered"


async def test_the_afterwork_of_an_exam_that_is_no_longer_urgent_is_still_owed_and_still_ends() -> None:
    desk = await passed()
    await received(desk, a_request(reasonCode=None, note=None))
    await by_put(desk)
    assert (await follow_ups(desk))[0]["restriction"]["period"]["start"] == instant(desk.now)
    await received(desk, a_request())
    assert (await follow_ups(desk))[0]["status"] == "completed"


async def test_nothing_is_owed_for_an_exam_that_is_off() -> None:
    desk = await passed(scanning=False)
    await received(desk, a_request(priority="stat", reasonCode=None, note=None, status="revoked"))
    assert [one["status"] for one in await follow_ups(desk)] == ["cancelled"]
    desk = await passed(scanning=False)
    await decide(desk, "rejected")
    assert [one["status"] for one in await follow_ups(desk)] == ["cancelled"]


async def test_one_request_in_place_of_another_takes_the_afterwork_of_the_first_away() -> None:
    desk = await passed(scanning=False)
    other = a_request(id="o-new", identifier=[], priority="stat", replaces=[{"reference": "ServiceRequest/o-req"}])
    desk.carry_out(await request_written(Write("create", other), desk), other)
    assert [one["status"] for one in await follow_ups(desk)] == ["cancelled"]
