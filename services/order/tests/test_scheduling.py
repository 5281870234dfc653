"""An exam gets its time on a scanner, another time, or gives it back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Resource, Write
from slipring_order import resources
from slipring_order.handlers.check_list import checked
from slipring_order.handlers.exams import task_written
from slipring_order.handlers.requests import request_written
from slipring_order.handlers.scheduling import appointment_written, unscheduled
from slipring_order.reading import instant
from slipring_order.rooms.booking import scanners_in_service
from slipring_order.rooms.checks import done_items
from slipring_order.rooms.scanner import scanner_of
from slipring_order.rooms.step import read_step

from tests.support.desk import ADesk
from tests.support.ordering import NOW, a_request, identity_confirmed, moved, received, the_exam
from tests.support.rooms import a_booking_desk, a_scanner, another_exam, call, out, period, schedule

CT1: Any = ("Reference", {"reference": "Device/o-ct1"})
AT_NINE = NOW + timedelta(hours=7, minutes=30)  # 09:00 in the department


async def the_step(desk: ADesk) -> Resource:
    exam = await the_exam(desk)
    [step] = await desk.search(f"Task?part-of=Task/{exam['id']}&code=scheduled-step")
    return step.resource


async def the_appointment(desk: ADesk) -> Resource:
    [found] = await desk.search("Appointment?based-on=ServiceRequest/o-req")
    return found.resource


async def test_a_booked_exam_is_scheduled_and_its_step_says_all_that_a_worklist_needs() -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    protocol = {"coding": [{"code": "chest-plain"}], "text": "胸部平扫"}
    await schedule(desk, scanner=CT1, period=period(AT_NINE), protocolCode=("CodeableConcept", protocol))
    exam, step = await the_exam(desk), read_step(await the_step(desk))
    assert resources.state_of(exam) == "scheduled"
    assert step.waits and step.scanner == "Device/o-ct1" and step.starts_at == AT_NINE
    assert (step.protocol, step.protocol_text) == ("chest-plain", "胸部平扫")
    assert step.imaging_number == "CT20260303000001" and len(step.step_id) <= 16
    assert step.study_instance_uid.startswith("2.25.") and len(step.study_instance_uid) <= 64
    assert step.request == "ServiceRequest/o-req" and step.exam == f"Task/{exam['id']}"
    appointment = await the_appointment(desk)
    assert appointment["status"] == "booked" and step.appointment == f"Appointment/{appointment['id']}"


async def test_without_a_period_the_next_free_slot_of_any_scanner_is_taken() -> None:
    desk = a_booking_desk(a_scanner("o-ct2"))
    await received(desk, a_request())
    first, second, third = [await another_exam(desk, name) for name in ("o-a", "o-b", "o-c")]
    opens = NOW.replace(hour=0, minute=0) + timedelta(days=1)  # 08:00 in the department
    taken = [out(await schedule(desk, exam), "step")[0] for exam in (first, second, third)]
    steps = [read_step(step) for step in taken]
    assert {step.scanner for step in steps[:2]} == {"Device/o-ct1", "Device/o-ct2"}
    assert [step.starts_at - opens for step in steps] == [timedelta(0), timedelta(0), timedelta(minutes=15)]


async def test_a_taken_slot_is_409_and_names_the_next_free_one() -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    await schedule(desk, scanner=CT1, period=period(AT_NINE))
    other = await another_exam(desk, "o-b")
    with pytest.raises(FhirError) as refused:
        await schedule(desk, other, scanner=CT1, period=period(AT_NINE + timedelta(minutes=10)))
    assert refused.value.status == 409 and refused.value.issues[0].detail == "order.slot-taken"
    assert "2026-03-03T08:00+08:00" in refused.value.issues[0].en


async def test_a_stat_exam_takes_a_taken_slot_and_shows_whom_it_bumps() -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    await schedule(desk, scanner=CT1, period=period(AT_NINE))
    urgent = await another_exam(desk, "o-b", priority="stat")
    changes = await schedule(desk, urgent, scanner=CT1, period=period(AT_NINE))
    assert out(changes, "bumped") == [{"reference": f"Appointment/{(await the_appointment(desk))['id']}"}]


async def test_another_time_keeps_step_and_numbers_and_frees_the_old_slot() -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    await schedule(desk, scanner=CT1, period=period(AT_NINE))
    before = read_step(await the_step(desk))
    await schedule(desk, scanner=CT1, period=period(AT_NINE + timedelta(hours=1)))
    after = read_step(await the_step(desk))
    assert after.starts_at == AT_NINE + timedelta(hours=1)
    assert (after.step_id, after.study_instance_uid) == (before.step_id, before.study_instance_uid)
    await schedule(desk, await another_exam(desk, "o-b"), scanner=CT1, period=period(AT_NINE))


@pytest.mark.parametrize("by", ["operation", "state", "appointment", "request"])
async def test_what_is_taken_back_frees_its_slot(by: str) -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    await schedule(desk, scanner=CT1, period=period(AT_NINE))
    exam, appointment = await the_exam(desk), await the_appointment(desk)
    if by == "operation":
        desk.carry_out(await unscheduled(call(await desk.read(f"Task/{exam['id']}")), desk))
    elif by == "state":
        await moved(desk, "justified")
    elif by == "appointment":
        before = await desk.read(f"Appointment/{appointment['id']}")
        cancelled = appointment | {"status": "cancelled"}
        desk.carry_out(await appointment_written(Write("update", cancelled, before), desk), cancelled)
    else:
        before = await desk.read("ServiceRequest/o-req")
        revoked = (before.resource if before else {}) | {"status": "revoked"}
        desk.carry_out(await request_written(Write("update", revoked, before), desk), revoked)
    assert (await the_appointment(desk))["status"] == "cancelled"
    assert (await the_step(desk))["status"] == "cancelled"
    assert resources.state_of(await the_exam(desk)) == ("cancelled" if by == "request" else "justified")
    await schedule(desk, await another_exam(desk, "o-b"), scanner=CT1, period=period(AT_NINE))


@pytest.mark.parametrize("by", ["operation", "state"])
async def test_what_was_confirmed_at_a_visit_ends_with_it(by: str) -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    await schedule(desk, scanner=CT1, period=period(AT_NINE))
    await moved(desk, "arrived")
    at_the_desk = await desk.read(f"Task/{(await the_exam(desk))['id']}")
    desk.carry_out(await checked(identity_confirmed(at_the_desk), desk))
    assert done_items(await the_exam(desk))
    exam = await the_exam(desk)
    if by == "operation":
        desk.carry_out(await unscheduled(call(await desk.read(f"Task/{exam['id']}")), desk))
    else:
        await moved(desk, "justified")
    assert resources.state_of(await the_exam(desk)) == "justified"
    assert not done_items(await the_exam(desk))


@pytest.mark.parametrize("minutes", ["0.00000001", "1E13", "0", "-5"])
async def test_a_slot_length_that_is_none_leaves_the_usual_one(minutes: str) -> None:
    length = {"type": {"coding": [{"system": f"{CANONICAL}/CodeSystem/scanner-property", "code": "slot-length"}]}}
    scanner = a_scanner(property=[{**length, "valueQuantity": [{"value": Decimal(minutes), "code": "min"}]}])
    assert scanner_of(scanner, None).hours.slot == scanner_of(a_scanner(), None).hours.slot


async def test_a_scanner_is_found_by_any_of_its_codes() -> None:
    desk = a_booking_desk(a_scanner("o-snomed", type={"coding": [{"code": "702569007"}]}))
    assert "Device/o-snomed" in [one.reference for one in await scanners_in_service(desk)]


async def test_an_appointment_by_plain_fhir_books_like_the_operation_does() -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    appointment = an_appointment("o-his", "ServiceRequest/o-req")
    desk.carry_out(await appointment_written(Write("create", appointment), desk), appointment)
    assert resources.state_of(await the_exam(desk)) == "scheduled"
    assert read_step(await the_step(desk)).appointment == "Appointment/o-his"
    await another_exam(desk, "o-b")
    with pytest.raises(FhirError) as refused:
        await appointment_written(Write("create", an_appointment("o-two", "ServiceRequest/o-b")), desk)
    assert (refused.value.status, refused.value.issues[0].at) == (409, "Appointment.start")


@pytest.mark.parametrize(
    "change",
    [
        {"basedOn": [{"reference": "ServiceRequest/o-b"}]},
        {"participant": []},
        {"serviceType": [{"coding": [{"code": "maintenance"}]}]},
    ],
)
async def test_no_time_is_taken_away_from_under_an_exam(change: Resource) -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    await another_exam(desk, "o-b")
    await schedule(desk, await the_exam(desk), scanner=CT1, period=period(AT_NINE))
    before = await desk.read(f"Appointment/{(await the_appointment(desk))['id']}")
    assert before
    with pytest.raises(FhirError) as refused:
        await appointment_written(Write("update", {**before.resource, **change}, before), desk)
    assert (refused.value.status, refused.value.issues[0].detail) == (409, "order.booking-is-kept")
    proposed = {**before.resource, "status": "proposed"}
    desk.carry_out(await appointment_written(Write("update", proposed, before), desk), proposed)
    assert (await the_step(desk))["status"] == "cancelled"


def an_appointment(id: str, request: str, **members: Any) -> Resource:
    return {
        "resourceType": "Appointment", "id": id, "status": "booked", "basedOn": [{"reference": request}],
        "participant": [{"actor": {"reference": "Device/o-ct1"}, "status": "accepted"}],
        "start": instant(AT_NINE), "end": instant(AT_NINE + timedelta(minutes=20)),
    } | members  # fmt: skip


async def test_maintenance_blocks_even_a_stat_exam_and_an_out_of_service_scanner_takes_nobody() -> None:
    desk = a_booking_desk(a_scanner("o-ct2", status="inactive"))
    await received(desk, a_request(priority="stat"))
    block = an_appointment("o-m", "", serviceType=[{"coding": [{"code": "maintenance"}]}])
    del block["basedOn"]
    desk.carry_out(await appointment_written(Write("create", block), desk), block)
    with pytest.raises(FhirError) as refused:
        await schedule(desk, scanner=CT1, period=period(AT_NINE))
    assert refused.value.issues[0].detail == "order.slot-taken"
    with pytest.raises(FhirError) as refused:
        await schedule(desk, scanner=("Reference", {"reference": "Device/o-ct2"}))
    assert refused.value.issues[0].detail == "order.scanner-out-of-service"


async def test_an_exam_that_is_judged_again_keeps_its_time_but_leaves_the_worklist() -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    await schedule(desk, scanner=CT1, period=period(AT_NINE))
    await received(desk, a_request(reasonCode=[]))
    assert resources.state_of(await the_exam(desk)) == "awaiting-information"
    assert (await the_step(desk))["status"] == "on-hold" and (await the_appointment(desk))["status"] == "booked"
    await received(desk, a_request())
    assert (await the_step(desk))["status"] == "accepted"


async def test_a_step_is_written_by_the_department_alone() -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    await schedule(desk, scanner=CT1, period=period(AT_NINE))
    step = await the_step(desk)
    with pytest.raises(FhirError) as refused:
        await task_written(Write("update", step | {"status": "completed"}, await desk.read(f"Task/{step['id']}")), desk)
    assert refused.value.issues[0].detail == "order.step-follows"


@pytest.mark.parametrize(("start", "minutes", "detail"), [(-60, 15, "slot-past"), (60, -15, "slot-backwards")])
async def test_a_slot_that_is_over_or_runs_backwards_is_refused(start: int, minutes: int, detail: str) -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    with pytest.raises(FhirError) as refused:
        await schedule(desk, scanner=CT1, period=period(NOW + timedelta(minutes=start), minutes))
    assert refused.value.issues[0].detail == f"order.{detail}"
