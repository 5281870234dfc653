"""A request is taken back, replaced, or stopped after the start: who may, and what follows."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource, Write
from slipring_order import resources
from slipring_order.handlers.aborts import ABORT_SYSTEM
from slipring_order.handlers.requests import request_written
from slipring_order.handlers.tasks import guarded
from slipring_order.life import discontinuing

from tests.support.desk import ADesk
from tests.support.ordering import a_desk, a_patient, a_request, moved, received, the_exam
from tests.support.rooms import a_booking_desk, schedule

RUNNING = ("scheduled", "arrived", "ready", "in-progress")


async def booked() -> ADesk:
    desk = a_booking_desk()
    await received(desk, a_request())
    await schedule(desk)
    return desk


async def ends_of(desk: ADesk) -> set[str]:
    """The status of the step and of the appointment."""
    found = [*await desk.search("Task?code=scheduled-step"), *await desk.search("Appointment?status=booked,cancelled")]
    assert len(found) == 2
    return {str(one.resource["status"]) for one in found}


async def status_of(desk: ADesk, reference: str) -> str:
    stored = await desk.read(reference)
    assert stored
    return str(stored.resource["status"])


async def written(desk: ADesk, task: Resource) -> Resource:
    before = await desk.read(f"Task/{task['id']}")
    changes = await guarded(Write("update" if before else "create", task, before), desk)
    kept = desk.carry_out(changes, task)
    assert kept
    return kept


def an_abort(exam: Resource, **members: Any) -> Resource:
    task = {
        "resourceType": "Task", "id": "o-abort", "status": "requested", "intent": "order",
        "code": {"coding": [{"system": ABORT_SYSTEM, "code": "abort"}]},
        "focus": {"reference": f"Task/{exam['id']}"}, "requester": {"reference": "Practitioner/o-doc"},
        "reasonCode": {"text": "患者病情变化"},
    } | members  # fmt: skip
    return {name: value for name, value in task.items() if value is not None}


async def running() -> tuple[ADesk, Resource]:
    desk = a_desk()
    await received(desk, a_request())
    return desk, await moved(desk, *RUNNING)


@pytest.mark.parametrize("status", ["revoked", "entered-in-error"])
async def test_taken_back_before_the_scan_cancels_the_exam_and_frees_what_was_booked(status: str) -> None:
    desk = await booked()
    exam = await received(desk, a_request(status=status))
    assert (resources.state_of(exam), exam["status"]) == ("cancelled", "cancelled")
    assert exam["statusReason"]["coding"][0]["code"] == status
    assert await ends_of(desk) == {"cancelled"}
    assert await status_of(desk, "ServiceRequest/o-req") == status


async def test_after_the_start_a_revocation_only_asks_the_department_to_stop() -> None:
    desk, _ = await running()
    exam = await received(desk, a_request(status="revoked"))
    assert resources.state_of(exam) == "in-progress"
    [abort] = await desk.search("Task?code=abort")
    assert (abort.resource["status"], abort.resource["requester"]) == ("requested", a_request()["requester"])
    await received(desk, a_request(status="revoked", note=[{"text": "再次发送"}]))
    assert len(await desk.search("Task?code=abort")) == 1


async def test_an_accepted_abort_discontinues_the_exam_with_a_coded_reason() -> None:
    desk, exam = await running()
    abort = await written(desk, an_abort(exam))
    await written(desk, abort | {"status": "accepted", "owner": {"reference": "Practitioner/o-rad"}})
    exam = await the_exam(desk)
    assert (resources.state_of(exam), exam["status"]) == ("discontinued", "failed")
    assert discontinuing.coded_reason(exam["statusReason"]) == "110500"
    assert exam["statusReason"]["text"] == "患者病情变化" and "end" in exam["executionPeriod"]


async def test_a_rejected_abort_has_a_reason_and_leaves_the_exam_alone() -> None:
    desk, exam = await running()
    abort = await written(desk, an_abort(exam))
    answer = abort | {"status": "rejected", "owner": {"reference": "Practitioner/o-rad"}}
    with pytest.raises(FhirError) as refused:
        await written(desk, answer)
    assert refused.value.issues[0].at == "Task.statusReason"
    await written(desk, answer | {"statusReason": {"text": "采集已完成"}})
    assert resources.state_of(await the_exam(desk)) == "in-progress"


@pytest.mark.parametrize(
    ("answer", "status", "detail"),
    [
        ({"status": "accepted"}, 422, "order.abort-unnamed"),
        ({"status": "accepted", "owner": {"reference": "Practitioner/o-doc"}}, 403, "staff.role"),
        ({"status": "completed"}, 409, "order.abort-illegal-move"),
        ({"status": "accepted", "focus": {"reference": "Task/o-x"}}, 422, "order.abort-focus-fixed"),
    ],
)
async def test_an_abort_is_answered_by_a_named_person_of_the_department(
    answer: Resource, status: int, detail: str
) -> None:
    desk, exam = await running()
    abort = await written(desk, an_abort(exam))
    with pytest.raises(FhirError) as refused:
        await written(desk, abort | answer)
    assert (refused.value.status, refused.value.issues[0].detail) == (status, detail)
    assert resources.state_of(await the_exam(desk)) == "in-progress"


async def test_before_the_start_an_abort_is_409_and_says_what_to_do_instead() -> None:
    desk = a_desk()
    exam = await received(desk, a_request())
    with pytest.raises(FhirError) as refused:
        await written(desk, an_abort(exam))
    assert refused.value.status == 409 and "revoke the request" in refused.value.issues[0].en


async def test_one_abort_of_an_exam_is_open_at_a_time_and_it_says_who_asks() -> None:
    desk, exam = await running()
    with pytest.raises(FhirError) as refused:
        await written(desk, an_abort(exam, requester=None))
    assert refused.value.issues[0].at == "Task.requester"
    await written(desk, an_abort(exam))
    with pytest.raises(FhirError) as refused:
        await written(desk, an_abort(exam, id="o-abort2"))
    assert refused.value.issues[0].detail == "order.abort-open"


@pytest.mark.clause("5.5.1.1")
async def test_an_exam_is_discontinued_only_with_a_coded_reason() -> None:
    desk, _ = await running()
    with pytest.raises(FhirError) as refused:
        await moved(desk, "discontinued")
    assert (refused.value.status, refused.value.issues[0].at) == (422, "Task.statusReason")
    exam = await the_exam(desk)
    task = exam | {
        "businessStatus": resources.state_concept("discontinued"),
        "statusReason": discontinuing.reason_concept("110515"),
    }
    kept = await written(desk, task)
    assert discontinuing.coded_reason(kept["statusReason"]) == "110515"


async def test_a_new_request_takes_the_place_of_one_whose_scan_has_not_begun() -> None:
    desk = await booked()
    follower = a_request(id="o-new", replaces=[{"reference": "ServiceRequest/o-req"}], identifier=[])
    desk.carry_out(await request_written(Write("create", follower), desk), follower)
    exam = await the_exam(desk)
    assert resources.state_of(exam) == "cancelled" and exam["statusReason"]["coding"][0]["code"] == "replaced"
    assert await ends_of(desk) == {"cancelled"}
    assert await status_of(desk, "ServiceRequest/o-req") == "active", "the status is its placer's"


async def test_a_request_never_replaces_that_of_another_patient() -> None:
    desk = a_desk(a_patient(id="o-other"))
    await received(desk, a_request())
    other = a_request(id="o-new", replaces=[{"reference": "ServiceRequest/o-req"}], identifier=[])
    with pytest.raises(FhirError) as refused:
        await request_written(Write("create", other | {"subject": {"reference": "Patient/o-other"}}), desk)
    assert (refused.value.status, refused.value.issues[0].at) == (422, "ServiceRequest.replaces[0]")
