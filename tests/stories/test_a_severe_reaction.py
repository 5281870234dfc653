"""A patient reacts severely to contrast: critical rings at once, and his next order is not given contrast again.

CNAS-CL02-A011 4.13 (adverse reactions on record), 5.4.4.1 (physician and nurse are told at once).
"""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.service import CANONICAL as C
from slipring_demo.contrast import a_consent, a_screening, an_injection

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, phones, rules, texts

SEVERITY = "http://terminology.hl7.org/CodeSystem/adverse-event-severity"


async def an_exam_in_the_room(department: Department) -> OneExam:
    story = await one_exam(department)
    for route in await department.found("Endpoint?status=active&_count=100"):  # of the story before
        assert (await department.put(route | {"status": "off"})).status_code == 200
    await story.requested()
    await story.moved("scheduled", "arrived", "ready", "in-progress")
    return story


async def given(story: OneExam) -> dict[str, Any]:
    """Contrast is permitted and given."""
    await story.cleared()
    permitted = await story.injected()
    assert permitted.status_code == 201, permitted.text
    done = await story.department.put(permitted.json() | {"status": "completed"})
    assert done.status_code == 200, done.text
    tree: dict[str, Any] = done.json()
    return tree


def a_reaction(story: OneExam, injection: dict[str, Any], grade: str) -> dict[str, Any]:
    return {
        "resourceType": "AdverseEvent",
        "actuality": "actual",
        "subject": story.cast.subject,
        "date": story.cast.moment(),
        "recorder": story.cast.person("nurse"),
        "event": {"coding": [{"system": f"{C}/CodeSystem/reaction-type", "code": "allergic-like"}]},
        "severity": {"coding": [{"system": SEVERITY, "code": grade}]},
        "suspectEntity": [{"instance": {"reference": f"MedicationAdministration/{injection['id']}"}}],
    }


async def cases(department: Department, event: dict[str, Any]) -> list[dict[str, Any]]:
    handovers = await department.found(f"Task?based-on=AdverseEvent/{event['id']}&code=hand-over")
    return [
        case
        for handover in handovers
        for case in await department.found(f"Task?based-on=Task/{handover['id']}&code=critical-case")
    ]


@pytest.mark.clause("5.4.4.1")
async def test_a_reaction_that_becomes_severe_rings_the_room_and_the_next_order_gets_no_contrast(
    department: Department,
) -> None:
    story = await an_exam_in_the_room(department)
    injection = await given(story)
    with phones("rescue", "ct duty", "requester") as phone:
        await story.rung_at({"valueCode": "rescue-team"}, phone["rescue"])
        await story.rung_at({"valueCode": "ct-duty"}, phone["ct duty"])
        await story.rung_at({"valueReference": story.cast.person("requester")}, phone["requester"])
        event = await story.made(a_reaction(story, injection, "moderate"))
        await department.settle()
        assert await cases(department, event) == [], "a moderate one rings nobody"
        severe = {"coding": [{"system": SEVERITY, "code": "severe"}]}
        raised = await department.put(event | {"severity": severe})
        assert raised.status_code == 200, raised.text
        await department.settle()
        [case] = await cases(department, event)
        assert case["priority"] == "stat" and case["reasonCode"]["coding"][0]["code"] == "CV-CT-15"
        assert {name: len(one.received) for name, one in phone.items()} == {"rescue": 1, "ct duty": 1, "requester": 1}
        assert (await department.put(raised.json() | {"detected": story.cast.moment()})).status_code == 200
        await department.settle()
        assert len(await cases(department, event)) == 1, "told once"
        [handover] = await department.found(f"Task?based-on=AdverseEvent/{event['id']}&code=hand-over")
        assert handover["status"] == "completed"
        answered = await story.called(
            f"Task/{case['id']}/$acknowledge",
            patientCheck=("String", story.cast.imaging_number[-4:]),
            finding=("Code", "CV-CT-15"),
            receiver=("Reference", story.cast.person("ward duty")),
            medium=("Code", "phone"),
        )
        assert answered["businessStatus"]["coding"][0]["code"] == "read-back-confirmed"

    first = story.cast.request
    again = {name: value for name, value in first.items() if name not in ("id", "meta", "identifier", "contained")}
    story.cast.request = await story.made(again)
    await department.settle()
    assert await story.state() == "awaiting-justification", "a physician decides on contrast after a severe reaction"
    told = await department.found(f"DetectedIssue?implicated={story.cast.exam}&code=order.contrast-reaction")
    assert [issue["severity"] for issue in told] == ["moderate"]
    await story.made(a_screening(story.cast))
    await story.made(a_consent(story.cast))
    await department.fresh()
    refused = await department.post("MedicationAdministration", an_injection(story.cast))
    assert refused.status_code == 422, refused.text
    assert rules(refused) & {"consent.no-high-finding", "consent.questions-decided"}, texts(refused)


async def told_before_signing(story: OneExam, report: str) -> list[dict[str, Any]]:
    """What whoever signs is told of reactions; what the checks of the text ask is another matter."""
    asked = await story.called(f"{report}/$signing-input", role=("Code", "author"))
    told = [part["resource"] for part in asked["parameter"] if part["name"] == "issue"]
    return [issue for issue in told if issue["code"]["coding"][0]["code"] == "report.reactions-told"]


async def test_a_severe_reaction_taken_back_stands_in_the_timeline_and_leaves_no_allergy(
    department: Department,
) -> None:
    story = await an_exam_in_the_room(department)
    event = await story.made(a_reaction(story, await given(story), "severe"))
    report = await story.drafted()
    [told_to_signer] = await told_before_signing(story, report)
    implicated = [one["reference"] for one in told_to_signer["implicated"]]
    assert implicated == [report, f"AdverseEvent/{event['id']}"], "the one injection of the exam leads to it"
    [case] = await cases(department, event)
    [allergy] = await department.found(f"AllergyIntolerance?patient={story.cast.subject['reference']}")
    assert allergy["criticality"] == "high"
    reason = {"url": "reason", "valueString": "记在另一位患者名下"}
    by = {"url": "by", "valueReference": story.cast.person("nurse")}
    said = [
        {"url": f"{C}/StructureDefinition/reaction-phase", "valueCode": "entered-in-error"},
        {"url": f"{C}/StructureDefinition/amendment", "extension": [reason, by]},
    ]
    assert (await department.put(event | {"extension": said})).status_code == 200
    await department.settle()
    allergy = await department.get(f"AllergyIntolerance/{allergy['id']}")
    assert allergy["verificationStatus"]["coding"][0]["code"] == "entered-in-error"
    assert await told_before_signing(story, report) == []
    told = await story.called(f"Task/{case['id']}/$timeline")
    parts = [part for one in told["parameter"] if one["name"] == "event" for part in one["part"]]
    events = [part["valueCode"] for part in parts if part["name"] == "what"]
    assert "finding-entered-in-error" in events
    still = await department.get(f"Task/{case['id']}")
    assert still["status"] == "requested", "it stays open until somebody has answered"
