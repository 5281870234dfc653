"""A case of a reaction: read back without an exam, and rung again when the reaction becomes severe again."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.service import Resource
from slipring_critical.cases.facts import case_facts
from slipring_critical.lifecycle import RINGING

from tests.support.ringing import ARinging, a_department, a_finding, a_handover, refused

SEVERE = "CV-CT-15"
REACTION = "AdverseEvent/c-reaction-7c4f"
REQUESTER = {"reference": "Practitioner/o-requester"}


def a_patient(*numbers: str, kind: str = "MR") -> Resource:
    identifiers = [{"type": {"coding": [{"code": kind}]}, "value": number} for number in numbers]
    return {"resourceType": "Patient", "id": "o-p", "identifier": identifiers}


def told(number: int = 1, **members: Any) -> tuple[Resource, Resource]:
    """The hand-over and the finding of a severe reaction, as consent tells them the first, second, ... time."""
    finding = a_finding(SEVERE, id=f"c-finding-{number}", focus=[{"reference": REACTION}], **members)
    finding = {name: value for name, value in finding.items() if value}
    focus = {"reference": f"Observation/c-finding-{number}"}
    return a_handover(f"c-handover-{number}", focus=focus, basedOn=[{"reference": REACTION}]), finding


async def rung_for_a_reaction(*holding: Resource, **members: Any) -> ARinging:
    ringing = ARinging(*a_department(), *holding)
    for one in told(**members):
        await ringing.arrive(one)
    return ringing


def said(number: str) -> dict[str, Any]:
    return {"patientCheck": number, "finding": SEVERE, "medium": "webhook", "receiver": REQUESTER}


@pytest.mark.clause("5.9.1")
@pytest.mark.parametrize(
    ("patient", "right", "wrong"),
    [
        ([a_patient("ZY0047119", "B-88AB")], "88ab", "7c4f"),
        ([a_patient("ZY0047119")], "7119", "0123"),
        ([a_patient("440306199001019999", kind="NI")], "7c4f", "9999"),  # without a hospital number: the reaction's own
        ([], "7c4f", "7c4e"),
    ],
)
async def test_a_reaction_without_an_exam_is_read_back_by_the_patients_number_and_closed(
    patient: list[Resource], right: str, wrong: str
) -> None:
    ringing = await rung_for_a_reaction(*patient, basedOn=[])
    assert case_facts(ringing.case).request == ""

    error = await refused(ringing.call("acknowledge", **said(wrong)))
    assert [issue.detail for issue in error.issues] == ["critical.read-back-patient"]
    assert right not in "".join(issue.en + issue.zh for issue in error.issues)
    assert ringing.state in RINGING and ringing.silent_cases() == []

    await ringing.call("acknowledge", **said(right))
    await ringing.call("act", action={"text": "adrenaline, transferred"})
    assert ringing.state == "closed"


async def test_a_reaction_of_a_known_exam_is_read_back_by_the_imaging_number_alone() -> None:
    ringing = await rung_for_a_reaction(a_patient("ZY0047119"))

    error = await refused(ringing.call("acknowledge", **said("7119")))
    assert [issue.detail for issue in error.issues] == ["critical.read-back-number"]
    await ringing.call("acknowledge", **said("0123"))
    assert ringing.state == "read-back-confirmed"


@pytest.mark.clause("5.4.4.1")
async def test_a_reaction_that_is_severe_again_after_its_case_closed_rings_anew_and_once() -> None:
    ringing = await rung_for_a_reaction()
    await ringing.call("acknowledge", **said("0123"))
    await ringing.call("act", action={"text": "adrenaline"})
    rung = len(ringing.rung)

    for one in (*told(2), *told(2)):
        await ringing.arrive(one)

    first, second = ringing.cases
    assert (first["focus"], second["focus"]) == (
        {"reference": "Observation/c-finding-1"},
        {"reference": "Observation/c-finding-2"},
    )
    assert len(ringing.rung) > rung and ringing.silent_cases() == []


async def test_a_reaction_that_is_severe_again_while_its_case_is_open_joins_it_and_never_opens_another() -> None:
    ringing = await rung_for_a_reaction()
    for one in told(2):
        await ringing.arrive(one)
    assert [basis["reference"] for basis in ringing.case["basedOn"]] == ["Task/c-handover-1", "Task/c-handover-2"]

    await ringing.call("acknowledge", **said("0123"))
    await ringing.call("act", action={"text": "adrenaline"})
    await ringing.arrive(told(2)[0])
    assert ringing.state == "closed"


@pytest.mark.clause("5.4.4.1")
async def test_a_later_finding_of_an_open_case_that_is_taken_back_stands_in_its_timeline_once() -> None:
    ringing = await rung_for_a_reaction()
    for one in told(2):
        await ringing.arrive(one)
    _, finding = told(2, status="entered-in-error")

    for _ in range(2):
        await ringing.arrive(finding)

    events = [event.what for event in case_facts(ringing.case).events]
    assert events.count("finding-entered-in-error") == 1 and events.index("flagged-again") < events.index(
        "finding-entered-in-error"
    )
    assert ringing.state in RINGING, "it stays open until somebody has answered"
