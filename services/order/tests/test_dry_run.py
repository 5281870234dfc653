"""A dry run says what the judgement will be, and a physician may reverse what the rules refuse."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL, Call, Resource
from slipring_order import resources
from slipring_order.handlers.advise import advised
from slipring_order.handlers.justify import justified

from tests.support.desk import ADesk
from tests.support.ordering import a_desk, a_patient, a_request, decide, findings, received

PURPOSE = f"{CANONICAL}/CodeSystem/exam-purpose"
LOINC = "http://loinc.org"


def a_reason(text: str, purpose: str) -> list[Resource]:
    return [{"text": text, **({"coding": [{"system": PURPOSE, "code": purpose}]} if purpose else {})}]


requests = st.builds(
    lambda code, text, purpose, priority, note, requester: a_request(
        code={"coding": [{"system": LOINC, "code": code}]},
        reasonCode=a_reason(text, purpose),
        priority=priority,
        note=note,
        requester={"reference": f"Practitioner/{requester}"},
    ),
    st.sampled_from(["24627-2", "30598-7", "24865-8", "24725-4", "24628-0", "36267-3"]),
    st.sampled_from(["胸痛两天", "check", "headache", "体检", "肝占位"]),
    st.sampled_from(["", "health-check", "screening", "diagnosis"]),
    st.sampled_from(["routine", "urgent", "stat"]),
    st.sampled_from([None, [{"text": "无手术史"}]]),
    st.sampled_from(["o-doc", "o-rad"]),
)
patients = st.builds(
    lambda gender, born: a_patient(gender=gender, birthDate=born),
    st.sampled_from(["male", "female", "unknown"]),
    st.sampled_from(["1961-07-15", "1990-01-01", "2018-05-05", "1990"]),
)
earlier = st.sampled_from(
    [
        [],
        [{
            "resourceType": "ImagingStudy", "id": "o-st", "status": "available", "started": "2026-02-20T00:00:00Z",
            "subject": {"reference": "Patient/o-pat"},
            "series": [{"uid": "1", "modality": {"code": "CT"}, "bodySite": {"code": "51185008"}}],
        }],
    ]
)  # fmt: skip


def a_call(request: Resource) -> Call:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": request}]}
    return Call({"resourceType": "Parameters", "parameter": [{"name": "data", "resource": bundle}]})


async def dry_run(request: Resource, desk: ADesk) -> tuple[str, set[str]]:
    changes = await justified(a_call(request), desk)
    assert changes.save == () and changes.answer
    outcome, *issues = changes.answer["parameter"]
    return outcome["valueCode"], {rule_of(issue["resource"]) for issue in issues}


@settings(max_examples=60, deadline=None)
@given(requests, patients, earlier)
async def test_a_dry_run_equals_the_judgement(request: Resource, patient: Resource, known: list[Resource]) -> None:
    desk = a_desk(*known)
    desk.hold(patient)
    foretold = await dry_run(request, desk)
    advice = (await advised(a_call(request), desk)).answer or {}
    exam = await received(desk, request)
    assert foretold == (resources.state_of(exam), findings(desk))
    parts = advice["parameter"][0]["part"]
    told = {rule_of(part["resource"]) for part in parts if part["name"] == "issue"}
    assert (parts[1]["valueCode"], told) == foretold


async def test_a_named_physician_reverses_a_refused_health_check_of_a_child() -> None:
    desk = a_desk(a_patient(birthDate="2018-05-05"))
    request = a_request(reasonCode=a_reason("持续咳嗽", "health-check"))
    assert resources.state_of(await received(desk, request)) == "rejected"
    assert "order.child-health-check" in findings(desk)
    changes = await decide(desk, "justified", "benefit-outweighs")
    assert changes.answer and resources.state_of(changes.answer) == "justified"
    [issue] = await desk.search("DetectedIssue?code=order.child-health-check")
    [done] = issue.resource["mitigation"]
    assert done["author"] == {"reference": "Practitioner/o-rad"} and "benefit-outweighs" in done["action"]["text"]


async def test_a_scan_in_the_weeks_most_at_risk_waits_for_a_physician() -> None:
    def observed(id: str, code: str, **value: Any) -> Resource:
        return {
            "resourceType": "Observation", "id": id, "status": "final", "effectiveDateTime": "2026-03-01",
            "code": {"coding": [{"system": LOINC, "code": code}]}, "subject": {"reference": "Patient/o-pat"},
            "basedOn": [{"reference": "ServiceRequest/o-req"}],
        } | value  # fmt: skip

    pregnant = observed("o-s", "82810-3", valueCodeableConcept={"coding": [{"code": "LA15173-0"}]})
    period = observed("o-l", "8665-2", valueDateTime="2025-12-10")
    desk = a_desk(a_patient(gender="female", birthDate="1995-01-01"), pregnant, period)
    exam = await received(desk, a_request(code={"coding": [{"system": LOINC, "code": "24865-8"}]}))
    assert resources.state_of(exam) == "awaiting-justification"
    assert "order.pregnant-early" in findings(desk) and "order.pregnant" not in findings(desk)
