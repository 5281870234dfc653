"""A patient who is recorded as deceased: the exam is of somebody else, or a physician says why it is meant."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.service import Resource, Write
from slipring_order import resources
from slipring_order.handlers.patients import patient_written

from tests.support.desk import ADesk
from tests.support.ordering import a_desk, a_patient, a_request, decide, moved, received, the_exam


async def written(desk: ADesk, patient: Resource) -> None:
    before = await desk.read(f"Patient/{patient['id']}")
    desk.hold(patient)
    desk.carry_out(await patient_written(Write("update", patient, before), desk))


async def asked(desk: ADesk) -> list[Resource]:
    found = [one.resource for one in await desk.search("DetectedIssue?implicated=ServiceRequest/o-req")]
    return [one for one in found if rule_of(one) == "order.patient-alive" and not one.get("mitigation")]


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({"deceasedBoolean": True}, "awaiting-justification"),
        ({"deceasedDateTime": "2026-02"}, "awaiting-justification"),
        ({"deceasedBoolean": False}, "justified"),
    ],
)
async def test_an_exam_of_a_patient_recorded_as_deceased_waits_for_a_physician(said: Any, state: str) -> None:
    desk = a_desk(a_patient(**said))
    assert resources.state_of(await received(desk, a_request())) == state
    assert bool(await asked(desk)) is (state != "justified")


@pytest.mark.clause("5.4.1")
async def test_a_death_recorded_before_the_scan_takes_the_permission_and_its_correction_gives_it_back() -> None:
    desk = a_desk()
    await received(desk, a_request())
    await moved(desk, "scheduled", "arrived")
    await written(desk, a_patient(deceasedDateTime="2026-03-02"))
    assert resources.state_of(await the_exam(desk)) == "awaiting-justification"
    [issue] = await asked(desk)
    assert "已死亡" in issue["detail"]
    await written(desk, a_patient(deceasedBoolean=False))
    assert resources.state_of(await the_exam(desk)) == "justified" and not await asked(desk)


@pytest.mark.clause("5.4.1")
async def test_a_physician_who_says_why_lets_it_pass() -> None:
    desk = a_desk(a_patient(deceasedBoolean=True))
    await received(desk, a_request())
    await decide(desk, "justified")
    assert resources.state_of(await the_exam(desk)) == "justified"
    await written(desk, a_patient(deceasedBoolean=True, telecom=[{"system": "phone", "value": "2"}]))
    assert resources.state_of(await the_exam(desk)) == "justified", "the same death is not asked about again"
    await written(desk, a_patient(deceasedBoolean=False))
    await written(desk, a_patient(deceasedBoolean=True))
    assert resources.state_of(await the_exam(desk)) == "awaiting-justification"
    assert len(await asked(desk)) == 1, "recorded anew, it is asked about anew"
    [notice] = await desk.search("Task?code=notice")
    assert notice.resource["owner"] == {"reference": "Practitioner/o-rad"}, "whoever decided is told"


async def test_an_emergency_is_told_and_not_held_up() -> None:
    desk = a_desk()
    before = resources.state_of(await received(desk, a_request(priority="stat")))
    await written(desk, a_patient(deceasedBoolean=True))
    assert resources.state_of(await the_exam(desk)) == before == "justified"
    assert [one["severity"] for one in await asked(desk)] == ["low"]
