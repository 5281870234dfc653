"""Check lists, tests of devices, protective gear: a fault opens a nonconformity, what lapses opens a renewal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource, Wake, Write
from slipring_order.department.gear import PROPERTY_SYSTEM
from slipring_order.handlers.evidence import observation_written
from slipring_order.handlers.forms import response_written
from slipring_order.handlers.papers import device_written, document_written
from slipring_order.handlers.reminding import LAPSES
from slipring_order.handlers.staff import practitioner_written, role_written

from tests.support.desk import ADesk
from tests.support.staffing import a_device, a_document, a_house, a_member, a_test, an_answer, fired, held, written

ROOM = {"resourceType": "Location", "id": "o-room", "status": "active"}
HEAD = "Practitioner/o-head"


def a_room_check(id: str = "o-r1", on: str = "2026-03-02", **changed: bool) -> Resource:
    said = dict.fromkeys(("warning_sign", "warning_light", "door", "visitors", "zones", "reading_light"), True)
    return an_answer(id, "room-check", "Location/o-room", on, HEAD, **said | changed)


async def open_tasks(desk: ADesk, code: str) -> list[Resource]:
    return [one.resource for one in await desk.search(f"Task?code={code}&status=requested")]


def lead(value: Any, **members: Any) -> list[Resource]:
    kind = {"coding": [{"system": PROPERTY_SYSTEM, "code": "lead-equivalent"}]}
    return [{"type": kind, "valueQuantity": [{"value": value, "unit": "mmPb", **members}]}]


@pytest.mark.clause("5.2.1", "5.2.2")
async def test_a_dark_warning_light_opens_one_nonconformity_under_its_clause() -> None:
    desk = a_house(ROOM)
    form = await written(desk, a_room_check(warning_light=False), response_written)
    [task] = await open_tasks(desk, "nonconformity")
    assert task["reasonCode"]["coding"][0]["code"] == "CL02-A011:5.2.2"
    assert task["reasonReference"]["reference"] == "QuestionnaireResponse/o-r1"
    assert "指示灯" in task["description"] and task["focus"]["reference"] == "Location/o-room"
    await written(desk, form | {"status": "amended"}, response_written)
    assert len(await open_tasks(desk, "nonconformity")) == 1


async def test_a_check_where_all_is_well_opens_nothing() -> None:
    desk = a_house(ROOM)
    await written(desk, a_room_check(), response_written)
    assert not await open_tasks(desk, "nonconformity") and not await open_tasks(desk, "renewal")


@pytest.mark.clause("5.2.2")
@pytest.mark.parametrize(
    ("stated", "at"),
    [
        (lead(0.49), "Device.property[0].valueQuantity[0]"),
        (lead(0.5, comparator="<"), "Device.property[0].valueQuantity[0]"),
        (lead(0.5, unit="mm"), "Device.property[0].valueQuantity[0]"),
        (lead(None), "Device.property[0].valueQuantity[0]"),
        ([], "Device.property"),
    ],
)
async def test_gear_below_half_a_millimetre_of_lead_is_refused_at_its_place(stated: list[Resource], at: str) -> None:
    for kind in ("protective-gear-adult", "protective-gear-child"):
        with pytest.raises(FhirError) as refused:
            await written(a_house(), a_device("o-apron", kind, property=stated), device_written)
        assert (refused.value.status, [issue.at for issue in refused.value.issues]) == (422, [at])


@pytest.mark.clause("5.2.2")
async def test_gear_of_half_a_millimetre_is_taken_and_its_check_is_asked_for() -> None:
    desk = a_house()
    await written(desk, a_device("o-apron", "protective-gear-child", property=lead(0.5)), device_written)
    check = an_answer(
        "o-g1", "gear-check", "Device/o-apron", "2026-03-02", HEAD, intact=False, in_date=True, labelled=True
    )
    await written(desk, check, response_written)
    [task] = await open_tasks(desk, "nonconformity")
    assert task["focus"]["reference"] == "Device/o-apron"


@pytest.mark.clause("5.2.6", "5.6.2.2", "5.3.1.1")
@pytest.mark.parametrize(
    ("kind", "form", "fault", "well"),
    [("second-supply", "supply-check", "takes_over", "lasts"), ("phantom", "equipment-check", "works", "maintained")],
)
async def test_supply_phantom_and_other_equipment_are_checked_alike(
    kind: str, form: str, fault: str, well: str
) -> None:
    desk = a_house(a_device("o-d", kind))
    await written(
        desk, an_answer("o-f", form, "Device/o-d", "2026-03-02", HEAD, **{fault: False, well: True}), response_written
    )
    assert len(await open_tasks(desk, "nonconformity")) == 1


@pytest.mark.clause("5.3.1.2", "5.3.1.4")
async def test_an_outside_test_names_device_day_result_body_and_certificate() -> None:
    bare = {
        "resourceType": "Observation",
        "id": "o-s",
        "status": "final",
        "code": a_test("x", "status-test", "", "")["code"],
    }
    with pytest.raises(FhirError) as refused:
        await observation_written(Write("create", bare), a_house())
    places = {issue.at for issue in refused.value.issues}
    assert places == {f"Observation.{m}" for m in ("device", "effective", "value", "performer", "derivedFrom")}
    by_us = a_test("o-c", "constancy-test", "Device/o-ct", "2026-03-02")
    await written(a_house(), by_us, observation_written)


@pytest.mark.clause("5.3.1.2")
async def test_a_failed_status_test_opens_a_nonconformity_about_the_scanner_once() -> None:
    desk = a_house({"resourceType": "Device", "id": "o-ct", "status": "active", "type": {"coding": [{"code": "CT"}]}})
    body = {
        "performer": [{"reference": "Organization/o-body"}],
        "derivedFrom": [{"reference": "DocumentReference/o-cert"}],
    }
    test = a_test("o-s", "status-test", "Device/o-ct", "2026-03-02", "failed", **body)
    kept = await written(desk, test, observation_written)
    await written(desk, kept | {"status": "amended"}, observation_written)
    [task] = await open_tasks(desk, "nonconformity")
    assert (task["focus"]["reference"], task["reasonReference"]["reference"]) == ("Device/o-ct", "Observation/o-s")


async def until_fired(desk: ADesk, wake: Wake) -> list[Wake]:
    """Move the clock to where the timer is due, and let it fire."""
    desk.now += wake.after
    return await fired(desk, wake)


@pytest.mark.clause("5.1.2", "5.1.6")
async def test_a_certificate_that_lapses_opens_one_task_the_day_after_and_its_renewal_closes_it() -> None:
    certificate = held("radiation-worker-certificate", "2020-01-01", "2026-03-10")
    person, role = a_member("o-t", "technologist", certificate, roles=("technologist",))
    desk = a_house(role)
    changes = await practitioner_written(Write("create", person), desk)
    desk.carry_out(changes, person)
    [at_once] = changes.wake
    assert at_once.after == timedelta(0)
    [next_one] = await fired(desk, at_once)
    assert not await open_tasks(desk, "renewal")
    assert desk.now + next_one.after == datetime(2026, 3, 10, 16, tzinfo=UTC)  # midnight in the department
    assert await until_fired(desk, next_one) == []
    await fired(desk, next_one)
    [task] = await open_tasks(desk, "renewal")
    assert (task["focus"]["reference"], task["reasonCode"]["coding"][0]["code"]) == (
        "Practitioner/o-t",
        "CL02-A011:5.1.2",
    )
    renewed = {
        **person,
        "qualification": [person["qualification"][0], held("radiation-worker-certificate", "2026-03-10", "2031-03-10")],
    }
    await written(desk, renewed, practitioner_written)
    assert not await open_tasks(desk, "renewal")


@pytest.mark.clause("5.1.2", "5.1.6")
async def test_a_duty_that_begins_later_is_looked_at_on_its_first_day_and_its_certificates_from_then_on() -> None:
    certificate = held("radiation-worker-certificate", "2020-01-01", "2026-05-10")
    person, role = a_member("o-t", "technologist", certificate, roles=("technologist",), since="2026-04-01")
    desk = a_house(person)
    changes = await role_written(Write("create", role), desk)
    desk.carry_out(changes, role)
    [first_day] = await fired(desk, changes.wake[0])
    assert desk.now + first_day.after == datetime(2026, 3, 31, 16, tzinfo=UTC)
    [last_day] = await until_fired(desk, first_day)
    assert not await open_tasks(desk, "renewal")
    assert desk.now + last_day.after == datetime(2026, 5, 10, 16, tzinfo=UTC)
    await until_fired(desk, last_day)
    assert len(await open_tasks(desk, "renewal")) == 1


@pytest.mark.clause("5.1.2")
async def test_a_renewal_that_counts_from_a_later_day_closes_the_task_on_that_day() -> None:
    papers = [
        held("radiation-worker-certificate", "2020-01-01", "2026-03-01"),
        held("radiation-worker-certificate", "2026-03-20", "2031-03-20"),
    ]
    person, role = a_member("o-t", "technologist", *papers, roles=("technologist",))
    desk = a_house(role)
    changes = await practitioner_written(Write("create", person), desk)
    desk.carry_out(changes, person)
    [next_one] = await fired(desk, changes.wake[0])
    assert len(await open_tasks(desk, "renewal")) == 1
    await until_fired(desk, next_one)
    assert desk.now == datetime(2026, 3, 19, 16, tzinfo=UTC) and not await open_tasks(desk, "renewal")


@pytest.mark.clause("4.1.1.1", "5.2.1")
async def test_a_permit_that_ran_out_is_reminded_of_and_a_renewed_one_is_not() -> None:
    desk = a_house()
    await written(desk, a_document("o-1", "radiation-safety-licence", "2021-01-01", "2026-03-01"), document_written)
    [task] = await open_tasks(desk, "renewal")
    assert "focus" not in task and "辐射安全许可证" in task["description"]
    await written(desk, a_document("o-2", "radiation-safety-licence", "2026-03-02", "2031-03-01"), document_written)
    assert not await open_tasks(desk, "renewal")
    assert (await document_written(Write("create", a_document("o-3", "letter")), desk)).wake
    other = {
        "resourceType": "DocumentReference",
        "id": "o-4",
        "status": "current",
        "type": {"coding": [{"code": "consent"}]},
    }
    assert not (await document_written(Write("create", other), desk)).wake


async def test_only_whoever_stands_on_the_register_has_a_timer() -> None:
    desk = a_house()
    plain = {"resourceType": "Practitioner", "id": "o-x", "name": [{"text": "somebody"}]}
    assert not (await practitioner_written(Write("create", plain), desk)).wake
    assert not (await role_written(Write("create", {"resourceType": "PractitionerRole", "id": "o-r"}), desk)).wake
    [_, role] = a_member("o-t", "technologist", roles=("technologist",))
    [wake] = (await role_written(Write("create", role), desk)).wake
    assert (wake.name, wake.key) == (LAPSES, "lapses:Practitioner/o-t")
