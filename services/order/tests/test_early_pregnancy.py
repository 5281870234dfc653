"""J04 is passed by three: a senior radiologist, the requester, and the patient's consent; an emergency by one call."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL, Call, Resource
from slipring_order import resources
from slipring_order.handlers.decisions import decided

from tests.support.desk import ADesk
from tests.support.ordering import a_decision, a_desk, a_patient, a_person, a_request, decide, received, the_exam

WOMAN = a_patient(gender="female", birthDate="1996-01-01")
PELVIS: Resource = {"coding": [{"system": "http://loinc.org", "code": "24865-8"}]}
ANSWER = {
    "url": f"{CANONICAL}/StructureDefinition/rule-answer",
    "extension": [{"url": "rule", "valueCode": "J04"}, {"url": "answer", "valueString": "疑盆腔脓肿，超声不明确"}],
}
AGREED = {"name": "agreedBy", "valueReference": {"reference": "PractitionerRole/o-doc-role"}}
PAPER = {"name": "consent", "valueReference": {"display": "知情同意书 2026-118"}}


def pregnant() -> list[Resource]:
    about = {"status": "final", "subject": {"reference": "Patient/o-pat"}, "effectiveDateTime": "2026-03-01"}
    return [
        {
            "resourceType": "Observation", "id": "o-preg", **about, "basedOn": [{"reference": "ServiceRequest/o-req"}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}]},
            "valueCodeableConcept": {"coding": [{"code": "LA15173-0"}]},
        },
        {
            "resourceType": "Observation", "id": "o-lmp", **about,
            "code": {"coding": [{"system": "http://loinc.org", "code": "8665-2"}]}, "valueDateTime": "2025-12-12",
        },
    ]  # fmt: skip


async def waiting(*more: Resource, **members: Any) -> ADesk:
    desk = a_desk(*pregnant(), *a_person("o-chief", "associate-chief-physician", "radiologist", "requester"), *more)
    desk.hold(WOMAN)
    exam = await received(desk, a_request(code=PELVIS, **members))
    assert resources.state_of(exam) == "awaiting-justification"
    return desk


async def justified(desk: ADesk, *given: Resource, who: str = "o-chief") -> dict[str, str]:
    """What is refused, by place; empty when the exam is justified."""
    exam = await desk.read(f"Task/{(await the_exam(desk))['id']}")
    call = a_decision(exam, "justified", "benefit-outweighs-risk", who)
    call = Call({**call.parameters, "parameter": [*call.parameters["parameter"], *given]}, exam)
    try:
        desk.carry_out(await decided(call, desk))
    except FhirError as refused:
        return {issue.detail: issue.at for issue in refused.issues}
    return {}


@pytest.mark.clause("5.4.1")
async def test_one_physician_alone_passes_no_scan_of_the_lower_abdomen_in_early_pregnancy() -> None:
    desk = await waiting()
    assert await justified(desk, AGREED, PAPER, who="o-rad") == {"staff.rank": "Parameters.parameter[2]"}
    assert await justified(desk) == {
        "order.early-pregnancy-requester": "Parameters.parameter.where(name='agreedBy')",
        "order.early-pregnancy-consent": "Parameters.parameter.where(name='consent')",
    }
    assert list(await justified(desk, AGREED)) == ["order.early-pregnancy-consent"]
    assert await justified(desk, AGREED, PAPER) == {}
    [record] = [one.resource for one in await desk.search("Provenance?target=ServiceRequest/o-req")]
    assert [agent["who"]["reference"] for agent in record["agent"]] == ["Practitioner/o-chief", "Practitioner/o-doc"]
    assert record["entity"] == [{"role": "source", "what": {"display": "知情同意书 2026-118"}}]


@pytest.mark.parametrize(
    ("consent", "stands"),
    [
        ({"status": "active"}, True),
        ({"status": "rejected"}, False),
        ({"status": "active", "patient": {"reference": "Patient/o-other"}}, False),
        ({"status": "active", "scope": {"coding": [{"code": "research"}]}}, False),
        ({"status": "active", "provision": {"type": "deny"}}, False),
        ({"status": "active", "provision": {"period": {"end": "2020-01-01"}}}, False),
        ({"status": "active", "provision": {"period": {"start": "2099-01-01"}}}, False),
        ({"resourceType": "DocumentReference", "id": "o-1", "status": "current"}, False),
    ],
)
async def test_what_the_request_itself_states_counts_as_agreement_and_consent(consent: Any, stands: bool) -> None:
    about = {"patient": {"reference": "Patient/o-pat"}, "scope": {"coding": [{"code": "treatment"}]}}
    held = {"resourceType": "Consent", "id": "c-1"} | about | consent
    beside = [{"reference": f"{held['resourceType']}/{held['id']}"}]
    desk = await waiting(held, extension=[ANSWER], supportingInfo=beside)
    assert list(await justified(desk)) == ([] if stands else ["order.early-pregnancy-consent"])


@pytest.mark.parametrize("said", ["不同意", "不同意，改超声", "No.", "I do not agree"])
async def test_a_requester_who_says_no_does_not_agree(said: str) -> None:
    parts = [{"url": "rule", "valueCode": "J04"}, {"url": "answer", "valueString": said}]
    desk = await waiting(extension=[{**ANSWER, "extension": parts}])
    assert list(await justified(desk, PAPER)) == ["order.early-pregnancy-requester"]


async def test_somebody_else_s_word_is_not_the_requester_s_and_nobody_agrees_with_himself() -> None:
    other = {"name": "agreedBy", "valueReference": {"reference": "Practitioner/o-rad"}}
    assert list(await justified(await waiting(), other, PAPER)) == ["order.early-pregnancy-requester"]
    own = await waiting(requester={"reference": "Practitioner/o-chief"})
    himself = {"name": "agreedBy", "valueReference": {"reference": "Practitioner/o-chief"}}
    assert list(await justified(own, himself, PAPER)) == ["order.early-pregnancy-requester"]


async def test_other_decisions_and_other_pregnancies_ask_one_physician_only() -> None:
    desk = await waiting()
    await decide(desk, "rejected", "not-indicated")
    assert resources.state_of(await the_exam(desk)) == "rejected"
    head = a_desk(*pregnant())
    head.hold(WOMAN)
    await received(head, a_request(code={"coding": [{"system": "http://loinc.org", "code": "30799-1"}]}))
    assert await justified(head, who="o-rad") == {}


async def test_in_an_emergency_one_call_passes_it_and_it_is_owed_afterwards() -> None:
    desk = await waiting(priority="stat")
    await decide(desk, "justified", "emergency")
    assert resources.state_of(await the_exam(desk)) == "justified"
