"""Images or a dose report of an exam that nobody had begun are a fact: stored, the exam acquired, a nonconformity open."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.service import Resource, Write
from slipring_order import resources
from slipring_order.handlers.evidence import images_written, observation_written
from slipring_order.handlers.wrong_exams import stopped
from slipring_order.reading import instant

from tests.support.desk import ADesk
from tests.support.ordering import NOW, a_desk, a_patient, a_request, moved, received, the_exam
from tests.support.rooms import call

DOSE: Resource = {
    "resourceType": "Observation", "id": "o-dose", "status": "final", "basedOn": [{"reference": "ServiceRequest/o-req"}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "73569-6"}]},
}  # fmt: skip
STUDY: Resource = {
    "resourceType": "ImagingStudy", "id": "o-images", "status": "available",
    "subject": {"reference": "Patient/o-pat"}, "basedOn": [{"reference": "ServiceRequest/o-req"}],
}  # fmt: skip


async def told(desk: ADesk, evidence: Resource) -> None:
    before = await desk.read(f"{evidence['resourceType']}/{evidence['id']}")
    write = Write("update" if before else "create", evidence, before)
    written = images_written if evidence["resourceType"] == "ImagingStudy" else observation_written
    changes = await written(write, desk)
    desk.hold(evidence)
    desk.carry_out(changes)


async def state(desk: ADesk) -> str:
    return resources.state_of(await the_exam(desk))


async def nonconformities(desk: ADesk) -> list[Resource]:
    return [one.resource for one in await desk.search("Task?code=nonconformity")]


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize("evidence", [DOSE, STUDY])
@pytest.mark.parametrize("request_is", [{}, {"note": None}, {"status": "revoked"}])
async def test_a_scan_nobody_permitted_is_a_fact_and_a_nonconformity(evidence: Resource, request_is: Any) -> None:
    desk = a_desk()
    await received(desk, a_request())
    await received(desk, a_request(**request_is))
    stood = await state(desk)
    await told(desk, evidence)
    assert await state(desk) == "acquired"
    [opened] = await nonconformities(desk)
    assert resources.lifecycle.names(stood)[0] in opened["description"]
    await told(desk, evidence)
    assert len(await nonconformities(desk)) == 1, "told again it is no second scan"


def hours(number: float) -> str:
    return instant(NOW + timedelta(hours=number))


@pytest.mark.parametrize(
    ("evidence", "ended"),
    [
        (STUDY | {"started": hours(-12)}, hours(-12)),
        (STUDY | {"started": hours(-12), "series": [{"uid": "1", "started": hours(-11.9)}]}, hours(-11.9)),
        (DOSE | {"effectiveDateTime": hours(-12)}, hours(-12)),
        (DOSE | {"effectivePeriod": {"start": hours(-12), "end": hours(-11.9)}}, hours(-11.9)),
        (DOSE | {"effectiveInstant": hours(-12)}, hours(-12)),
        (STUDY | {"started": hours(1)}, hours(0)),
        (STUDY | {"started": "2026-03-02"}, hours(0)),
        (STUDY, hours(0)),
    ],
)
async def test_the_exam_ended_when_it_was_scanned_and_not_when_that_was_told(evidence: Resource, ended: str) -> None:
    desk = a_desk()
    await received(desk, a_request())
    await told(desk, evidence)
    assert (await the_exam(desk))["executionPeriod"] == {"end": ended}


async def test_an_exam_ends_no_earlier_than_it_began_whatever_the_scanner_s_clock_says() -> None:
    desk = a_desk()
    await received(desk, a_request())
    await moved(desk, "arrived", "ready", "in-progress")
    desk.hold((await the_exam(desk)) | {"executionPeriod": {"start": hours(0)}})
    desk.now += timedelta(minutes=9)
    await told(desk, STUDY | {"started": hours(-0.1)})
    assert (await the_exam(desk))["executionPeriod"] == {"start": hours(0), "end": hours(0.15)}


async def test_a_running_exam_that_is_shown_to_be_done_is_no_nonconformity() -> None:
    desk = a_desk()
    await received(desk, a_request())
    await moved(desk, "arrived", "ready", "in-progress")
    await told(desk, STUDY)
    assert await state(desk) == "acquired" and await nonconformities(desk) == []


@pytest.mark.parametrize(
    "evidence",
    [STUDY | {"status": "registered"}, STUDY | {"status": "entered-in-error"}, DOSE | {"status": "entered-in-error"}],
)
async def test_what_is_not_there_or_was_wrong_proves_no_scan(evidence: Resource) -> None:
    desk = a_desk()
    await received(desk, a_request())
    await told(desk, evidence)
    assert await state(desk) == "justified" and await nonconformities(desk) == []


async def test_images_of_somebody_else_stop_the_report_and_prove_no_scan() -> None:
    desk = a_desk(a_patient(id="o-other"))
    await received(desk, a_request())
    await told(desk, STUDY | {"subject": {"reference": "Patient/o-other"}})
    assert await state(desk) == "justified"
    issues = [one.resource for one in desk.held.values() if one.resource["resourceType"] == "DetectedIssue"]
    assert any(rule_of(issue).startswith("order.image-") for issue in issues)


async def test_the_images_of_an_exam_that_was_stopped_as_wrong_are_no_news_of_the_next() -> None:
    desk = a_desk()
    await received(desk, a_request())
    await moved(desk, "arrived", "ready", "in-progress")
    await told(desk, STUDY)
    exam = await desk.read(f"Task/{(await the_exam(desk))['id']}")
    who = ("Reference", {"reference": "Practitioner/o-rad"})
    reason = ("CodeableConcept", {"coding": [{"code": "wrong-patient"}]})
    desk.carry_out(await stopped(call(exam, reason=reason, performer=who), desk))
    await told(desk, STUDY | {"description": "sent again by the archive"})
    assert await state(desk) == "justified"
