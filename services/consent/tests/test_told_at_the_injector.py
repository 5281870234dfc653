"""What happens to exam and patient while contrast runs is told at once to everybody at the injector, and once."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL, Arrival, Changes, Resource, Write
from slipring_consent.handlers.exam_changes import ABORT, allergy_arrived, allergy_written, task_arrived
from slipring_consent.handlers.screening import screening_answered

from tests.support.contrast import EXAM, a_cleared_department, a_department, a_screening, an_egfr, an_injection
from tests.support.desk import ADesk

TASK = f"{CANONICAL}/CodeSystem/task-code"
STATE = f"{CANONICAL}/CodeSystem/exam-state"


def running(**members: Any) -> ADesk:
    desk = a_cleared_department()
    desk.hold(an_injection(**members))
    return desk


def a_task(code: str, status: str = "requested", system: str = TASK, **members: Any) -> Resource:
    coded = {"coding": [{"system": system, "code": code}]}
    task = {"resourceType": "Task", "id": "o-task", "status": status, "intent": "order", "code": coded}
    return task | {"for": {"reference": "Patient/o-pat"}, "basedOn": [{"reference": EXAM}], **members}


def an_allergy(code: str = "293638001", **members: Any) -> Resource:
    coded = {"coding": [{"system": "http://snomed.info/sct", "code": code}]}
    allergy = {"resourceType": "AllergyIntolerance", "id": "o-allergy", "patient": {"reference": "Patient/o-pat"}}
    return allergy | {"code": coded, "criticality": "high", **members}


async def arrives(desk: ADesk, resource: Resource) -> Changes:
    before = await desk.read(f"{resource['resourceType']}/{resource['id']}")
    stored = desk.hold(resource, source="order")
    handler = task_arrived if resource["resourceType"] == "Task" else allergy_arrived
    return await handler(Arrival("order", resource, stored.version, before=before), desk)


def told(changes: Changes) -> list[str]:
    """Whom a notice reaches; the finding stands beside it, once per injection."""
    issues = [save.resource for save in changes.save if rule_of(save.resource) == "consent.changed-after-permission"]
    notices = [
        save.resource for save in changes.save if save.resource["resourceType"] == "Task" and "owner" in save.resource
    ]
    assert len(issues) == len({one["focus"]["reference"] for one in notices})
    assert all(one["severity"] == "high" for one in issues)
    return [one["owner"]["reference"] for one in notices]


def in_state(state: str) -> Resource:
    shown = {"coding": [{"system": STATE, "code": state}]}
    return a_task("exam", "in-progress", focus={"reference": EXAM}, businessStatus=shown)


@pytest.mark.clause("5.4.4.1")
@pytest.mark.parametrize(
    "task",
    [
        a_task("identity-confirmation"),
        a_task(ABORT[1], system=ABORT[0], focus={"reference": "Task/o-exam"}),
        in_state("discontinued"),
        in_state("cancelled"),
    ],
    ids=["records merged", "abort asked for", "discontinued", "cancelled"],
)
async def test_what_ends_an_exam_is_told_while_contrast_runs_or_waits_and_once(task: Resource) -> None:
    assert told(await arrives(running(), task)) == ["Practitioner/o-nurse"]
    assert told(await arrives(running(status="on-hold"), task)) == ["Practitioner/o-nurse"]
    assert told(await arrives(running(status="completed"), task)) == []
    desk = running()
    await arrives(desk, task)
    assert told(await arrives(desk, task)) == [], "the same Task arrived once more"


async def test_what_goes_on_as_planned_is_no_alarm() -> None:
    for task in (in_state("in-progress"), in_state("acquired"), a_task("identity-confirmation", "completed")):
        assert told(await arrives(running(), task)) == []
    other = a_task("identity-confirmation", basedOn=[{"reference": "ServiceRequest/o-other"}])
    assert told(await arrives(running(), other)) == []


@pytest.mark.clause("5.4.1")
async def test_a_new_allergy_is_told_once_with_a_screening_and_without_one() -> None:
    assert told(await arrives(running(), an_allergy())) == ["Practitioner/o-nurse"]
    unscreened = a_department(an_egfr(), an_injection())
    assert told(await arrives(unscreened, an_allergy())) == ["Practitioner/o-nurse"]
    assert told(await arrives(unscreened, an_allergy(recordedDate="2026-03-02"))) == [], "it was known"
    refuted = an_allergy(verificationStatus={"coding": [{"code": "refuted"}]})
    assert told(await arrives(a_department(an_injection()), refuted)) == []
    assert told(await arrives(a_department(an_injection()), an_allergy("91935009"))) == [], "peanuts"


async def test_an_allergy_written_down_here_is_told_at_once() -> None:
    desk = running()
    changes = await allergy_written(Write("create", an_allergy()), desk)
    assert told(changes) == ["Practitioner/o-nurse"]
    before = desk.hold(an_allergy())
    assert told(await allergy_written(Write("update", an_allergy(recordedDate="2026-03-02"), before), desk)) == []


async def test_answers_that_stop_are_told_to_whoever_gives_contrast_already_in_an_emergency() -> None:
    desk = a_department(an_egfr(), an_injection())
    changes = await screening_answered(Write("create", a_screening(hyperthyroidism="Y")), desk)
    assert changes.refuse is None
    assert told(changes) == ["Practitioner/o-nurse"]
    assert told(await screening_answered(Write("create", a_screening()), desk)) == []


@pytest.mark.clause("5.4.1")
async def test_an_allergy_of_a_patient_that_it_contains_concerns_nobody_here() -> None:
    contained = {"contained": [{"resourceType": "Patient", "id": "p"}], "patient": {"reference": "#p"}}
    assert told(await arrives(running(), an_allergy() | contained)) == []
