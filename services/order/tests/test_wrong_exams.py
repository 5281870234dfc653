"""An exam on the wrong part or patient is stopped by name, and nothing starts or is reported before it is settled."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Changes, Resource, Write
from slipring_order import resources
from slipring_order.handlers.exams import task_written
from slipring_order.handlers.wrong_exams import stopped
from slipring_order.images.mismatch import is_mismatch
from slipring_order.reading import codes
from slipring_order.rooms.checks import ARRIVAL, ATTENDANT, CRITICAL, ITEMS, with_input

from tests.support.desk import ADesk
from tests.support.ordering import a_request, moved, received, the_exam
from tests.support.rooms import a_booking_desk, call, schedule

WHO = ("Reference", {"reference": "Practitioner/o-rad"})


async def running() -> ADesk:
    desk = a_booking_desk()
    await received(desk, a_request())
    await schedule(desk)
    await moved(desk, "arrived", "ready", "in-progress")
    return desk


async def stop(desk: ADesk, reason: str, /, **values: Any) -> Changes:
    given = {"reason": ("CodeableConcept", {"coding": [{"code": reason}]}), "performer": WHO} | values
    exam = await desk.read(f"Task/{(await the_exam(desk))['id']}")
    changes = await stopped(call(exam, **{name: value for name, value in given.items() if value}), desk)
    desk.carry_out(changes)
    return changes


def held(desk: ADesk, kind: str) -> list[Resource]:
    return [one.resource for one in desk.held.values() if one.resource["resourceType"] == kind]


@pytest.mark.clause("5.5.1.1")
@pytest.mark.clause("4.9-4.12")
@pytest.mark.parametrize(
    ("reason", "safe", "step"),
    [
        ("wrong-part", "arrived", "accepted"),
        ("wrong-side", "arrived", "accepted"),
        ("wrong-patient", "justified", "cancelled"),
    ],
)
async def test_it_returns_to_where_it_is_safe_with_a_finding_and_a_nonconformity(
    reason: str, safe: str, step: str
) -> None:
    desk = await running()
    await stop(desk, reason)
    exam = await the_exam(desk)
    assert resources.state_of(exam) == safe and "executionPeriod" not in exam
    [scheduled] = await desk.search("Task?code=scheduled-step")
    assert scheduled.resource["status"] == step
    [finding] = [one for one in held(desk, "DetectedIssue") if is_mismatch(one)]
    assert finding["severity"] == "high" and finding["author"] == WHO[1], "the report waits for a named person"
    [opened] = await desk.search("Task?code=nonconformity")
    assert opened.resource["reasonCode"]["coding"][0]["code"] == "CL02-A011:5.5.1.1"


async def test_identity_and_examination_are_confirmed_anew_before_it_starts_again() -> None:
    desk = await running()
    await stop(desk, "wrong-part")
    exam = await the_exam(desk)
    start = exam | {"businessStatus": resources.state_concept("in-progress")}
    with pytest.raises(FhirError) as refused:
        await task_written(Write("update", start, await desk.read(f"Task/{exam['id']}")), desk)
    assert refused.value.status == 409
    assert resources.state_of(await moved(desk, "ready", "in-progress")) == "in-progress"


@pytest.mark.parametrize(
    ("values", "status", "detail"),
    [
        ({"performer": None}, 422, "order.stop-unnamed"),
        ({"performer": ("Reference", {"reference": "Practitioner/o-doc"})}, 403, "staff.role"),
        ({"reason": ("CodeableConcept", {"coding": [{"code": "bad-luck"}]})}, 422, "order.stop-reason-unknown"),
    ],
)
async def test_who_stops_it_is_named_and_says_what_was_wrong(values: Any, status: int, detail: str) -> None:
    desk = await running()
    with pytest.raises(FhirError) as refused:
        await stop(desk, "wrong-part", **values)
    assert (refused.value.status, refused.value.issues[0].detail) == (status, detail)


async def test_what_has_not_begun_cannot_be_stopped_so() -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    with pytest.raises(FhirError) as refused:
        await stop(desk, "wrong-part")
    assert refused.value.status == 409


@pytest.mark.parametrize(
    ("reason", "stays"),
    [("wrong-part", {ARRIVAL, ATTENDANT, CRITICAL}), ("wrong-patient", set[str]())],
)
async def test_who_came_with_the_wrong_patient_and_how_ill_he_was_goes_with_him(reason: str, stays: set[str]) -> None:
    desk = await running()
    exam = await the_exam(desk)
    for code in (ARRIVAL, ATTENDANT, CRITICAL):
        exam = exam | {"input": with_input(exam, code, {"valueBoolean": True})}
    desk.hold(exam)
    await stop(desk, reason)
    said = {code for entry in (await the_exam(desk)).get("input", []) for code in codes(entry.get("type"))}
    assert said & {ARRIVAL, ATTENDANT, CRITICAL, *ITEMS} == stays
