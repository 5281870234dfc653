"""What a service makes conforms to its profiles; what a profile demands of a client is refused or held when it is missing."""

import copy
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from slipring.clauses.critical_findings import critical_finding
from slipring.fhir.checks.shape import check
from slipring.fhir.profiles import declare, profile
from slipring.fhir.service import CANONICAL, Resource, Write
from slipring.fhir.terminology import declare as declare_codes
from slipring.process import installed_services
from slipring_consent.handlers.consents import consent_written
from slipring_consent.handlers.injection import contrast_written
from slipring_order import resources as order
from slipring_order.dose.observation import as_observation
from slipring_order.dose.report import DoseReport, Event
from slipring_report.flags import resources as report

from tests.support import contrast, ordering
from tests.support.desk import A_NOON
from tests.support.ringing import ARinging, a_department, a_finding, a_handover

URL = f"{CANONICAL}/StructureDefinition/"


@pytest.fixture(autouse=True, scope="module")
def declared() -> None:
    for service in installed_services().values():
        declare(service.profiles)
        declare_codes(service.code_systems, service.value_sets)


def departs(name: str, resource: Resource) -> list[str]:
    """Where a resource is not what the profile says."""
    issues = check(resource, profiles=[URL + name])
    return [issue.at for issue in issues if issue.severity == "error"]


def without(resource: Resource, element: str) -> Resource:
    return {name: value for name, value in copy.deepcopy(resource).items() if name != element}


async def test_a_request_at_work_conforms_and_so_does_its_exam() -> None:
    desk = ordering.a_desk()
    exam = await ordering.received(desk, ordering.a_request())
    stored = await desk.read("ServiceRequest/o-req")
    assert stored
    assert departs("ct-request", stored.resource) == []
    assert departs("exam-task", exam) == []
    for state in ("scheduled", "arrived", "ready", "in-progress"):
        task = await ordering.moved(desk, state)
        assert departs("exam-task", {name: value for name, value in task.items() if value is not None}) == []


@pytest.mark.parametrize("element", ["code", "requester"])
async def test_a_request_without_what_its_profile_demands_is_held(element: str) -> None:
    request = without(ordering.a_request(), element)
    assert departs("ct-request", request) == [f"ServiceRequest.{element}"]
    assert int(profile(URL + "ct-request").by_id[element]["min"]) == 1  # type: ignore[union-attr]
    exam = await ordering.received(ordering.a_desk(), request)
    assert order.state_of(exam) in ("awaiting-information", "rejected")


async def test_a_sound_consent_conforms_and_is_taken() -> None:
    assert departs("contrast-consent", contrast.a_consent()) == []
    changes = await consent_written(Write("create", contrast.a_consent()), contrast.a_department())
    assert changes.refuse is None


@pytest.mark.parametrize("element", ["patient", "performer", "provision"])
async def test_an_active_consent_without_what_its_profile_demands_is_refused(element: str) -> None:
    consent = without(contrast.a_consent(), element)
    assert departs("contrast-consent", consent)
    changes = await consent_written(Write("create", consent), contrast.a_department())
    assert changes.refuse is not None
    assert changes.refuse.status == 422


async def test_a_sound_administration_conforms_and_is_permitted() -> None:
    assert departs("contrast-administration", contrast.an_injection()) == []
    overridden = contrast.an_injection(extension=contrast.an_override("emergency"))
    assert departs("contrast-administration", overridden) == []
    changes = await contrast_written(Write("create", contrast.an_injection()), contrast.a_cleared_department())
    assert changes.refuse is None


@pytest.mark.parametrize("element", ["supportingInformation", "performer"])
async def test_permission_without_what_the_profile_demands_is_refused(element: str) -> None:
    injection = without(contrast.an_injection(), element)
    assert departs("contrast-administration", injection)
    changes = await contrast_written(Write("create", injection), contrast.a_cleared_department())
    assert changes.refuse is not None
    assert changes.refuse.status == 422


def test_an_override_needs_a_reason_of_the_list() -> None:
    wrong = contrast.an_injection(extension=contrast.an_override("no reason at all"))
    assert departs("contrast-administration", wrong) == [
        "MedicationAdministration.extension[0].extension[1].valueCodeableConcept"
    ]


def test_a_dose_report_as_an_observation_conforms() -> None:
    event = Event("1.2.3", "Spiral Acquisition", "Chest", "Chest", Decimal("5.00"), Decimal("100.0"), None, "", "")
    made = as_observation(
        DoseReport("1.2", "1.3", "CT1", "A", "B", "1", A_NOON, None, 1, Decimal("100.0"), (event,), ()),
        request={"reference": "ServiceRequest/o-1"},
        subject={"reference": "Patient/o-1"},
        now=A_NOON,
    )
    assert departs("ct-dose", made) == []


def test_a_flag_and_its_hand_over_conform() -> None:
    entry = critical_finding("CV-CT-02")
    assert entry
    of: dict[str, Any] = {
        "resourceType": "DiagnosticReport",
        "id": "r-1",
        "subject": {"reference": "Patient/o-1"},
        "basedOn": [{"reference": "ServiceRequest/o-1"}],
    }
    when = report.written(A_NOON)
    flag = report.as_flag(
        of, entry, id="r-2", level="1", recognised_at=when, author="Practitioner/o-1", note="", now=A_NOON
    )
    assert departs("critical-finding-flag", flag) == []
    wrong = {**flag, "code": {"text": "something"}}
    assert departs("critical-finding-flag", wrong) == ["Observation.code"]
    handover = report.as_handover(
        of, flag, id="r-3", within=timedelta(seconds=60), author="Practitioner/o-1", now=A_NOON
    )
    assert departs("hand-over", handover) == []


async def test_a_case_conforms_from_opening_to_ringing() -> None:
    ringing = ARinging(*a_department())
    await ringing.arrive(a_finding())
    await ringing.arrive(a_handover())
    assert departs("critical-case", ringing.case) == []
    await ringing.wait(7)
    assert departs("critical-case", ringing.case) == []
    assert departs("critical-case", {**ringing.case, "businessStatus": {"text": "somewhere"}}) == [
        "Task.businessStatus"
    ]
