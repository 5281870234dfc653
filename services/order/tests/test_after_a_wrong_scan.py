"""What is told of a scan that was stopped as wrong comes late: it is kept, and is no scan of the exam that stands again."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from pydicom.dataset import Dataset
from slipring.fhir.service import Resource, Write
from slipring_order import resources
from slipring_order.dicom.step_facts import COMPLETED, DISCONTINUED, IN_PROGRESS, StepFacts
from slipring_order.dose.taking import take_dose_report
from slipring_order.handlers.evidence import images_written
from slipring_order.handlers.performed_steps import step_begun, step_changed
from slipring_order.handlers.wrong_exams import stopped
from slipring_order.reading import instant

from tests.support.desk import ADesk
from tests.support.dose import a_report, an_event, an_item
from tests.support.ordering import NOW, a_request, moved, received, the_exam
from tests.support.rooms import a_booking_desk, call, schedule

WHO = ("Reference", {"reference": "Practitioner/o-rad"})
SAFE = {"wrong-side": "arrived", "wrong-patient": "justified"}
BEFORE, AFTER = NOW - timedelta(minutes=5), NOW + timedelta(minutes=5)


async def stopped_desk(reason: str = "wrong-side") -> ADesk:
    """An exam was scanned at BEFORE and stopped as wrong at NOW; ten minutes have gone by."""
    desk = a_booking_desk()
    await received(desk, a_request())
    await schedule(desk)
    await moved(desk, "arrived", "ready", "in-progress")
    desk.carry_out(await step_begun(facts(IN_PROGRESS, await number(desk), started_at=BEFORE), "Device/o-ct1", desk))
    await stop(desk, reason)
    desk.now += timedelta(minutes=10)
    return desk


async def stop(desk: ADesk, reason: str) -> None:
    exam = await desk.read(f"Task/{(await the_exam(desk))['id']}")
    given = ("CodeableConcept", {"coding": [{"code": reason}]})
    desk.carry_out(await stopped(call(exam, reason=given, performer=WHO), desk))


async def number(desk: ADesk) -> str:
    stored = await desk.read("ServiceRequest/o-req")
    assert stored
    return resources.number_of(stored.resource)


def facts(status: str, accession: str, uid: str = "1.2.3", **members: Any) -> StepFacts:
    return StepFacts(uid, status, imaging_numbers=(accession,), **members)


async def images(desk: ADesk, **members: Any) -> None:
    study: Resource = {
        "resourceType": "ImagingStudy", "id": "o-images", "status": "available",
        "subject": {"reference": "Patient/o-pat"}, "basedOn": [{"reference": "ServiceRequest/o-req"}],
    } | members  # fmt: skip
    before = await desk.read("ImagingStudy/o-images")
    changes = await images_written(Write("update" if before else "create", study, before), desk)
    desk.carry_out(changes, study)


def a_dose(uid: str, at: datetime, accession: str) -> Dataset:
    event, began = an_event(uid=f"1.{uid}", region="T-D3000"), an_item("111526")
    began.DateTime = f"{at:%Y%m%d%H%M%S}+0000"
    event.ContentSequence.append(began)
    report = a_report(event, uid=f"9.{uid}")
    report.AccessionNumber, report.PatientID = accession, "A1"
    report.ContentDate, report.ContentTime = "20260304", "120000"
    return report


async def dose(desk: ADesk, uid: str, at: datetime) -> None:
    desk.carry_out(await take_dose_report(a_dose(uid, at, await number(desk)), desk))


async def state(desk: ADesk) -> str:
    return resources.state_of(await the_exam(desk))


@pytest.mark.clause("5.5.1.1")
@pytest.mark.parametrize(("reason", "safe"), SAFE.items())
async def test_images_of_the_wrong_scan_leave_the_exam_on_its_list(reason: str, safe: str) -> None:
    desk = await stopped_desk(reason)
    await images(desk, started=instant(BEFORE))
    assert await state(desk) == safe
    if safe == "arrived":
        [step] = await desk.search("Task?code=scheduled-step")
        assert step.resource["status"] == "accepted", "the right scan is still to be made"
    await images(desk, started=instant(BEFORE), series=[{"uid": "1.9", "started": instant(AFTER)}])
    assert await state(desk) == "acquired", "and then it was made, in the same study"


@pytest.mark.parametrize("said", [{}, {"started": "2026-03-03"}])
async def test_images_that_do_not_say_when_they_were_made_prove_no_other_scan(said: Resource) -> None:
    desk = await stopped_desk()
    await moved(desk, "ready", "in-progress")
    await images(desk, **said)
    assert await state(desk) == "in-progress"


async def test_a_dose_report_of_the_wrong_scan_leaves_it_and_that_of_the_right_one_moves_it() -> None:
    desk = await stopped_desk()
    await dose(desk, "1", BEFORE)
    assert await state(desk) == "arrived"
    await dose(desk, "2", BEFORE + timedelta(minutes=1))  # united with the first
    assert await state(desk) == "arrived"
    await dose(desk, "3", AFTER)
    assert await state(desk) == "acquired"
    [stored] = await desk.search("Observation?based-on=ServiceRequest/o-req")
    assert len(stored.resource["contained"]) == 3, "both scans exposed the patient"


async def test_a_dose_report_that_was_told_of_before_the_stop_is_no_news_when_more_of_it_comes() -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    await moved(desk, "arrived", "ready", "in-progress")
    await dose(desk, "1", BEFORE)
    await stop(desk, "wrong-patient")
    await dose(desk, "2", BEFORE + timedelta(minutes=1))
    assert await state(desk) == "justified"


async def test_a_kept_dose_report_that_is_tied_to_its_exam_shows_its_scan() -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    desk.carry_out(await take_dose_report(a_dose("1", BEFORE, "X-1"), desk))
    assert await state(desk) == "justified"
    named = await desk.read("ServiceRequest/o-req")
    desk.carry_out(await take_dose_report(a_dose("1", BEFORE, "X-1"), desk, named))
    assert await state(desk) == "acquired"


@pytest.mark.parametrize("status", [COMPLETED, DISCONTINUED])
@pytest.mark.parametrize(("reason", "safe"), SAFE.items())
async def test_the_end_of_the_wrong_step_is_kept_and_moves_nothing(status: str, reason: str, safe: str) -> None:
    desk = await stopped_desk(reason)
    desk.carry_out(await step_changed(facts(status, "", ended_at=BEFORE), "Device/o-ct1", desk))
    assert await state(desk) == safe
    [kept] = await desk.search("Procedure?based-on=ServiceRequest/o-req")
    assert kept.resource["status"] in ("completed", "stopped")


async def test_a_step_that_began_after_the_stop_is_the_right_one() -> None:
    desk = await stopped_desk()
    accession = await number(desk)
    late = facts(IN_PROGRESS, accession, "1.2.4", started_at=BEFORE)
    desk.carry_out(await step_begun(late, "Device/o-ct1", desk))
    assert await state(desk) == "arrived", "a second message about the wrong scan"
    right = facts(IN_PROGRESS, accession, "1.2.5", started_at=AFTER)
    desk.carry_out(await step_begun(right, "Device/o-ct1", desk))
    assert await state(desk) == "in-progress"
    desk.carry_out(await step_changed(facts(COMPLETED, "", "1.2.5", ended_at=AFTER), "Device/o-ct1", desk))
    assert await state(desk) == "acquired"


async def test_an_end_that_was_written_before_the_scan_began_is_not_its_end() -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    exam = await the_exam(desk)
    desk.hold(exam | {"executionPeriod": {"end": instant(BEFORE)}})
    desk.carry_out(await step_begun(facts(IN_PROGRESS, await number(desk), started_at=NOW), "Device/o-ct1", desk))
    assert (await the_exam(desk))["executionPeriod"] == {"start": instant(NOW)}
