"""What is said wrongly at the counter and on the check list is refused where it stands, and nothing is confirmed."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Changes
from slipring_order import resources
from slipring_order.handlers.check_list import checked
from slipring_order.handlers.reception import arrived
from slipring_order.handlers.scheduling import unscheduled
from slipring_order.rooms.checks import ATTENDANT, CRITICAL, done_items, input_of

from tests.support.desk import ADesk
from tests.support.ordering import a_desk, a_patient, a_request, findings, identity_confirmed, received, the_exam
from tests.support.rooms import call

DOCTOR: Any = ("Reference", {"reference": "Practitioner/o-doc"})
NUMBER: Any = ("Identifier", {"system": "urn:hospital", "value": "A1"})
BORN: Any = ("Date", "1961-07-15")
SHOWN = {"identifier": NUMBER, "birthDate": BORN}


async def act(desk: ADesk, operation: Any, **values: tuple[str, Any]) -> Changes:
    exam = await desk.read(f"Task/{(await the_exam(desk))['id']}")
    changes: Changes = await operation(call(exam, **values), desk)
    desk.carry_out(changes)
    return changes


@pytest.mark.parametrize(
    ("said", "detail", "at"),
    [
        ({"identifier": ("Identifier", {"system": "urn:hospital"})}, "identifier-without-value", 0),
        ({"identifier": NUMBER, "birthDate": ("Date", "1961")}, "whole-day", 1),
        (SHOWN | {"attendant": ("Reference", {"display": "值班医师"})}, "attendant-unknown", 2),
        (SHOWN | {"attendant": ("Reference", {"reference": "Practitioner/o-x"})}, "attendant-unknown", 2),
        (SHOWN | {"attendant": ("Reference", {"reference": "Patient/o-pat"})}, "attendant-unknown", 2),
    ],
)
async def test_what_is_no_identifier_no_day_and_nobody_is_refused(said: dict[str, Any], detail: str, at: int) -> None:
    desk = a_desk()
    await received(desk, a_request())
    with pytest.raises(FhirError) as refused:
        await act(desk, arrived, **said, performer=DOCTOR)
    [issue] = refused.value.issues
    assert (refused.value.status, issue.detail, issue.at) == (422, f"order.{detail}", f"Parameters.parameter[{at}]")
    assert findings(desk) == set(), "nobody else stood there"
    assert resources.state_of(await the_exam(desk)) == "justified"


async def test_the_wristband_of_an_unidentified_patient_is_held_against_his_record_all_the_same() -> None:
    desk = a_desk(a_patient(meta={"tag": [{"code": "unidentified"}]}))
    await received(desk, a_request(priority="stat"))
    unknown = {"unidentified": ("Boolean", True), "performer": DOCTOR}
    other = await act(desk, arrived, identifier=("Identifier", {"value": "T-9"}), **unknown)
    assert other.refuse and "order.identity-mismatch" in findings(desk)
    assert (await act(desk, arrived, identifier=NUMBER, **unknown)).refuse is None
    assert resources.state_of(await the_exam(desk)) == "arrived"


async def test_an_exam_is_not_done_before_it_began_and_an_answer_goes_with_its_question() -> None:
    desk = a_desk()
    await received(desk, a_request())
    await act(desk, arrived, **SHOWN, performer=DOCTOR)
    with pytest.raises(FhirError) as refused:
        await act(desk, checked, item=("Code", "exam-done"), performer=DOCTOR)
    assert (refused.value.status, refused.value.issues[0].detail) == (409, "order.exam-not-done")
    with pytest.raises(FhirError) as refused:
        await act(desk, checked, item=("Code", "parameters-set"), pregnancy=("Code", "not-pregnant"), performer=DOCTOR)
    assert (refused.value.issues[0].detail, refused.value.issues[0].at) == (
        "order.pregnancy-without-item",
        "Parameters.parameter[1]",
    )
    assert done_items(await the_exam(desk)) == frozenset()


async def test_who_came_without_an_appointment_and_left_is_not_waited_for_and_nothing_of_his_visit_stays() -> None:
    desk = a_desk()
    await received(desk, a_request())
    await act(desk, arrived, **SHOWN, performer=DOCTOR, attendant=DOCTOR, critical=("Boolean", True))
    exam = await desk.read(f"Task/{(await the_exam(desk))['id']}")
    desk.carry_out(await checked(identity_confirmed(exam), desk))
    await act(desk, unscheduled)
    left = await the_exam(desk)
    assert resources.state_of(left) == "justified" and done_items(left) == frozenset()
    assert input_of(left, ATTENDANT) is None and input_of(left, CRITICAL) is None
    with pytest.raises(FhirError) as refused:
        await act(desk, unscheduled)
    assert refused.value.issues[0].detail == "order.not-booked"
