"""An exam that gets its time gets its protocol: the one approved for exam, age and scanner, or the one somebody names."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Changes, Resource, Write
from slipring_order.handlers.scheduling import appointment_written
from slipring_order.offer.defined import PROTOCOL_GROUP
from slipring_order.offer.protocol_choice import SCANNER
from slipring_order.offer.words import usage
from slipring_order.reading import instant
from slipring_order.rooms.step import protocol_in, read_step

from tests.support.desk import ADesk
from tests.support.ordering import NOW, a_request, findings, received, the_exam
from tests.support.rooms import a_booking_desk, a_scanner, out, period, schedule

CT1: Any = ("Reference", {"reference": "Device/o-ct1"})
CT2: Any = ("Reference", {"reference": "Device/o-ct2"})
AT_NINE = NOW + timedelta(hours=7, minutes=30)


def a_protocol(id: str, *, scanner: str = "", group: str = "chest", status: str = "active") -> Resource:
    contexts = [usage("exam", {"coding": [{"system": PROTOCOL_GROUP, "code": group}]})]
    if scanner:
        contexts.append(usage("scanner", {"coding": [{"system": SCANNER, "code": scanner}]}))
    return {"resourceType": "PlanDefinition", "id": id, "status": status, "title": f"方案 {id}", "useContext": contexts}


async def a_desk(*plans: Resource) -> ADesk:
    desk = a_booking_desk(a_scanner("o-ct2"), *plans)
    await received(desk, a_request())
    return desk


async def booked(desk: ADesk, scanner: Any = CT1, minutes: int = 0, **named: Any) -> Changes:
    return await schedule(desk, scanner=scanner, period=period(AT_NINE + timedelta(minutes=minutes)), **named)


def protocol(changes: Changes) -> str:
    [step] = out(changes, "step")
    return read_step(step).protocol


@pytest.mark.clause("5.5.3")
async def test_each_scanner_scans_by_its_own_protocol() -> None:
    desk = await a_desk(a_protocol("o-any"), a_protocol("o-two", scanner="o-ct2"), a_protocol("o-head", group="head"))
    first = await booked(desk)
    assert protocol(first) == "PlanDefinition/o-any" and not out(first, "issue")
    assert read_step(out(first, "step")[0]).protocol_text == "方案 o-any"
    assert protocol(await booked(desk, CT2)) == "PlanDefinition/o-two"
    assert protocol(await booked(desk, CT1)) == "PlanDefinition/o-any"


@pytest.mark.parametrize("plans", [[], [a_protocol("o-two", scanner="o-ct2")], [a_protocol("o-d", status="draft")]])
async def test_an_exam_without_an_approved_protocol_on_its_scanner_gets_its_time_and_a_warning(
    plans: list[Resource],
) -> None:
    desk = await a_desk(*plans)
    changes = await booked(desk)
    [issue] = out(changes, "issue")
    assert rule_of(issue) == "order.protocol-suits" and issue["severity"] == "moderate"
    assert issue["implicated"] == [{"reference": f"Task/{(await the_exam(desk))['id']}"}]
    assert protocol_in(out(changes, "step")[0]) is None


async def test_the_same_is_said_once_and_taken_back_where_it_no_longer_holds() -> None:
    desk = await a_desk(a_protocol("o-two", scanner="o-ct2"))
    await booked(desk)
    assert not out(await booked(desk, minutes=30), "issue"), "it stands on record"
    assert "order.protocol-suits" in findings(desk)
    assert not out(await booked(desk, CT2), "issue")
    assert "order.protocol-suits" not in findings(desk)


async def test_what_somebody_named_stays_at_another_time_and_goes_with_the_scanner() -> None:
    desk = await a_desk(a_protocol("o-any"), a_protocol("o-special"))
    named: Any = {"protocol": ("Reference", {"reference": "PlanDefinition/o-special"})}
    assert protocol(await booked(desk, **named)) == "PlanDefinition/o-special"
    assert protocol(await booked(desk, minutes=30)) == "PlanDefinition/o-special"
    desk.hold(a_protocol("o-two", scanner="o-ct2"))
    assert protocol(await booked(desk, CT2)) == "PlanDefinition/o-two"


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (a_protocol("o-x", status="draft"), "not approved"),
        (a_protocol("o-x", scanner="o-ct2"), "another exam, age or scanner"),
        (a_protocol("o-x", group="head"), "another exam, age or scanner"),
    ],
)
async def test_a_named_protocol_that_does_not_suit_is_taken_and_said(plan: Resource, says: str) -> None:
    desk = await a_desk(plan)
    changes = await booked(desk, protocol=("Reference", {"reference": "PlanDefinition/o-x"}))
    assert protocol(changes) == "PlanDefinition/o-x"
    [issue] = out(changes, "issue")
    assert says in str(issue["_detail"])


@pytest.mark.parametrize("reference", ["PlanDefinition/o-nowhere", "PlanDefinition/o-rules", "Patient/o-pat", "x"])
async def test_what_is_no_protocol_is_refused_where_it_stands(reference: str) -> None:
    desk = await a_desk({"resourceType": "PlanDefinition", "id": "o-rules", "status": "active"})
    with pytest.raises(FhirError) as refused:
        await booked(desk, protocol=("Reference", {"reference": reference}))
    [issue] = refused.value.issues
    assert (refused.value.status, issue.detail, issue.at) == (
        422, "order.protocol-unknown", "Parameters.parameter[2]",
    )  # fmt: skip


async def test_an_appointment_of_the_his_gets_its_protocol_too() -> None:
    desk = await a_desk(a_protocol("o-any"))
    appointment: Resource = {
        "resourceType": "Appointment", "id": "o-his", "status": "booked",
        "basedOn": [{"reference": "ServiceRequest/o-req"}],
        "participant": [{"actor": {"reference": "Device/o-ct1"}, "status": "accepted"}],
        "start": instant(AT_NINE), "end": instant(AT_NINE + timedelta(minutes=20)),
    }  # fmt: skip
    desk.carry_out(await appointment_written(Write("create", appointment), desk), appointment)
    [step] = await desk.search("Task?code=scheduled-step")
    assert read_step(step.resource).protocol == "PlanDefinition/o-any"
