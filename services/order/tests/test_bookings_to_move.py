"""Exams booked on a scanner that is put out of use keep their time, and whoever must move them is told."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Resource, Write
from slipring_order.handlers.papers import device_written
from slipring_order.handlers.scheduling import appointment_written
from slipring_order.reading import instant
from slipring_order.resources import state_of
from slipring_order.rooms.scanner import in_service, scanner_of

from tests.support.desk import ADesk
from tests.support.ordering import NOW, a_request, moved, received, the_exam
from tests.support.rooms import a_booking_desk, a_scanner, out, period, schedule

CT1: Any = ("Reference", {"reference": "Device/o-ct1"})
AT_NINE = NOW + timedelta(hours=7, minutes=30)
STATE = f"{CANONICAL}/StructureDefinition/service-state"
PROPERTY = {"type": {"coding": [{"system": f"{CANONICAL}/CodeSystem/scanner-property", "code": "service-state"}]}}


def stated(code: str) -> Resource:
    return {"extension": [{"url": STATE, "valueCode": code}]}


def of_property(code: str) -> Resource:
    return {"property": [{**PROPERTY, "valueCode": [{"coding": [{"code": code}]}]}]}


async def a_desk_with_a_booking() -> ADesk:
    desk = a_booking_desk()
    await received(desk, a_request())
    await schedule(desk, scanner=CT1, period=period(AT_NINE))
    return desk


async def written(desk: ADesk, device: Resource, method: Any = "update") -> list[Resource]:
    """What was told when a Device was written."""
    before = await desk.read(f"Device/{device['id']}")
    changes = await device_written(Write(method, device, before), desk)
    desk.carry_out(changes, device)
    return [save.resource for save in changes.save]


@pytest.mark.clause("5.3.1.2, 5.3.1.4")
@pytest.mark.parametrize(
    "out_of_use", [stated("out-of-service"), of_property("out-of-service"), {"status": "inactive"}]
)
async def test_a_scanner_put_out_of_service_tells_of_its_bookings_once_and_they_stand(out_of_use: Resource) -> None:
    desk = await a_desk_with_a_booking()
    [told] = await written(desk, a_scanner() | out_of_use)
    assert rule_of(told) == "order.bookings-to-move"
    [booked] = await desk.search("Appointment?actor=Device/o-ct1")
    assert told["implicated"] == [{"reference": "Device/o-ct1"}, {"reference": booked.reference}]
    assert booked.resource["status"] == "booked"
    assert await written(desk, a_scanner(note=[{"text": "等待配件"}]) | out_of_use) == [], (
        "it was out of service before"
    )
    assert await written(desk, a_scanner()) == []
    assert await written(desk, a_scanner(), "delete") != [], "a scanner that is no more takes nobody either"


async def test_nobody_is_told_of_a_scanner_without_bookings_or_of_another_device() -> None:
    desk = a_booking_desk()
    assert await written(desk, a_scanner(status="inactive")) == []
    injector: Resource = {"resourceType": "Device", "id": "o-injector", "status": "active"}
    assert await written(desk, injector) == [] == await written(desk, injector | {"status": "inactive"})


@pytest.mark.parametrize(
    "said",
    [stated("broken"), of_property("broken"), {"property": [{**PROPERTY, "valueCode": [{"text": "故障"}]}]}],
)
async def test_a_service_state_is_one_of_two_and_whatever_else_is_stored_is_no_permission(said: Resource) -> None:
    device = a_scanner() | said
    with pytest.raises(FhirError) as refused:
        await written(a_booking_desk(), device)
    assert (refused.value.status, refused.value.issues[0].detail) == (422, "order.service-state-unknown")
    assert not in_service(device) and not scanner_of(device, None).in_service


async def test_a_block_over_booked_time_is_kept_and_tells_whom_to_move() -> None:
    desk = await a_desk_with_a_booking()
    block: Resource = {
        "resourceType": "Appointment", "id": "o-m", "status": "booked",
        "serviceType": [{"coding": [{"code": "maintenance"}]}],
        "participant": [{"actor": {"reference": "Device/o-ct1"}, "status": "accepted"}],
        "start": instant(AT_NINE - timedelta(minutes=30)), "end": instant(AT_NINE + timedelta(hours=2)),
    }  # fmt: skip
    changes = await appointment_written(Write("create", block), desk)
    desk.carry_out(changes, block)
    [told] = [save.resource for save in changes.save]
    assert {"reference": "Appointment/o-m"} in told["implicated"] and len(told["implicated"]) == 3
    before = await desk.read("Appointment/o-m")
    assert not (await appointment_written(Write("update", block | {"comment": "球管"}, before), desk)).save


def a_booking(number: int, start: datetime) -> Resource:
    return {
        "resourceType": "Appointment", "id": f"o-b{number}", "status": "booked",
        "basedOn": [{"reference": f"ServiceRequest/o-{number}"}],
        "participant": [{"actor": {"reference": "Device/o-ct1"}, "status": "accepted"}],
        "start": instant(start), "end": instant(start + timedelta(minutes=15)),
    }  # fmt: skip


def a_full_desk(count: int) -> ADesk:
    """A scanner that is booked six times a day; a search that finds more than two days of them is refused."""
    desk = a_booking_desk()
    for number in range(count):
        desk.hold(a_booking(number, AT_NINE + timedelta(days=number // 6, minutes=15 * (number % 6))))
    desk.limit_searches(of="Appointment", to=12)
    return desk


async def test_a_scanner_that_is_booked_for_months_can_be_put_out_of_service_all_the_same() -> None:
    desk = a_full_desk(540)
    [told] = await written(desk, a_scanner(status="inactive"))
    named = [one["reference"] for one in told["implicated"]]
    assert named == ["Device/o-ct1", *(f"Appointment/o-b{number}" for number in range(500))]
    assert "540" in told["detail"] and "500" in told["detail"], "all are counted, the first are named"


async def test_a_scanner_that_is_booked_for_months_can_be_blocked_all_the_same() -> None:
    desk = a_full_desk(60)
    block = a_booking(99, AT_NINE + timedelta(minutes=10)) | {"serviceType": [{"coding": [{"code": "maintenance"}]}]}
    block = {name: value for name, value in block.items() if name != "basedOn"}
    block["end"] = instant(AT_NINE + timedelta(days=9, minutes=30))
    [told] = [save.resource for save in (await appointment_written(Write("create", block), desk)).save]
    named = [one["reference"] for one in told["implicated"]]
    assert named == ["Device/o-ct1", "Appointment/o-b99", *(f"Appointment/o-b{number}" for number in range(56))]
    assert "56" in told["detail"] and "500" not in told["detail"]


async def test_moved_to_another_scanner_the_exam_leaves_the_one_that_is_out() -> None:
    desk = await a_desk_with_a_booking()
    desk.hold(a_scanner("o-ct2"))
    await written(desk, a_scanner(status="inactive"))
    [step] = out(await schedule(desk, await the_exam(desk)), "step")
    assert step["owner"] == {"reference": "Device/o-ct2"}


async def test_who_is_here_stays_here_whatever_time_he_is_given() -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    await moved(desk, "arrived")
    [appointment] = out(await schedule(desk, scanner=CT1, period=period(AT_NINE + timedelta(days=1))), "appointment")
    assert appointment["status"] == "arrived"
    assert state_of(await the_exam(desk)) == "arrived"
