"""The exam Task moves, and what other services tell moves it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Arrival, Changes, Write
from slipring_order import resources
from slipring_order.handlers.evidence import observation_written
from slipring_order.handlers.exams import task_written
from slipring_order.handlers.followed import report_arrived

from tests.support.ordering import (
    a_desk,
    a_person,
    a_request,
    moved,
    received,
    the_exam,
)


async def test_an_illegal_move_is_409_and_names_the_legal_ones() -> None:
    desk = a_desk()
    await received(desk, a_request())
    with pytest.raises(FhirError) as refused:
        await moved(desk, "acquired")
    assert refused.value.status == 409
    assert "scheduled, arrived, cancelled" in refused.value.issues[0].en


async def test_only_the_open_members_of_an_exam_task_may_change() -> None:
    desk = a_desk()
    exam = await received(desk, a_request())
    before = await desk.read(f"Task/{exam['id']}")
    with pytest.raises(FhirError) as refused:
        await task_written(Write("update", exam | {"for": {"reference": "Patient/o-other"}}, before), desk)
    assert [issue.at for issue in refused.value.issues] == ["Task.for"]
    with pytest.raises(FhirError):
        await task_written(Write("create", exam | {"id": "o-new"}), desk)


async def test_after_a_clock_set_back_an_exam_still_changes_no_earlier_than_it_was_written() -> None:
    desk = a_desk()
    exam = await received(desk, a_request())
    stored = await desk.read(f"Task/{exam['id']}")
    save = resources.moved(stored, "cancelled", desk.now - timedelta(minutes=3))
    assert save.resource["lastModified"] == exam["authoredOn"]


async def test_an_operator_without_certificates_does_not_start_and_the_try_is_on_record() -> None:
    desk = a_desk(*a_person("o-tech", "technician", "technologist"))
    await received(desk, a_request())
    exam = await moved(desk, "scheduled", "arrived", "ready")
    before = await desk.read(f"Task/{exam['id']}")
    task = exam | {
        "businessStatus": resources.state_concept("in-progress"),
        "owner": {"reference": "Practitioner/o-tech"},
    }
    changes = await task_written(Write("update", task, before), desk)
    assert changes.refuse and changes.refuse.status == 422
    assert {rule_of(save.resource) for save in changes.save} == {"order.operator-qualified"}


async def test_a_dose_report_moves_a_running_exam_to_acquired_and_a_released_report_closes_it() -> None:
    desk = a_desk()
    await received(desk, a_request())
    await moved(desk, "scheduled", "arrived", "ready", "in-progress")
    dose = {
        "resourceType": "Observation", "id": "o-dose", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "73569-6"}]},
        "basedOn": [{"identifier": {"system": resources.ACSN_SYSTEM, "value": "CT20260303000001"}}],
    }  # fmt: skip
    desk.carry_out(await observation_written(Write("create", dose), desk))
    exam = await the_exam(desk)
    assert resources.state_of(exam) == "acquired" and exam["executionPeriod"].keys() == {"start", "end"}
    report = {"resourceType": "DiagnosticReport", "id": "r-1", "basedOn": [{"reference": "ServiceRequest/o-req"}]}
    desk.carry_out(await report_arrived(Arrival("report", report | {"status": "partial"}, 1), desk))
    assert resources.state_of(await the_exam(desk)) == "acquired"
    desk.carry_out(await report_arrived(Arrival("report", report | {"status": "final"}, 2), desk))
    exam = await the_exam(desk)
    assert (resources.state_of(exam), exam["status"]) == ("closed", "completed")
    assert await report_arrived(Arrival("report", report | {"status": "final"}, 2), desk) == Changes.none()
