"""Screening weighed by several guidelines before anything is decided: over HTTP, on what is known here, storing nothing."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from slipring.fhir.service import CANONICAL as C
from slipring_demo.contrast import a_screening, an_egfr

from tests.support.assessing import part_of, parts_named
from tests.support.broken import assessment, broken, broken_call, filling, places
from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, rules, texts


@pytest.fixture(scope="module")
async def story(department: Department) -> OneExam:
    """One patient with one exam, of whom something is known."""
    asked = await one_exam(department)
    await asked.requested()
    await department.fresh()
    return asked


def clearances(answer: dict[str, Any]) -> dict[str, str]:
    return {part_of(one, "policy"): part_of(one, "clearance") for one in parts_named(answer, "assessment")}


async def rows(department: Department) -> dict[str, int]:
    """How many rows each table of consent holds, without the audit trail, which grows with every call, and the seals.

    A seal is laid a moment later on what was stored before.
    """
    pool = department.house.services["consent"].kernel.store.pool
    names = await pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    counted = {row["tablename"]: await pool.fetchval(f'SELECT count(*) FROM "{row["tablename"]}"') for row in names}
    return {name: count for name, count in counted.items() if "audit" not in name and not name.startswith("seal")}


@pytest.mark.clause("5.4.1")
async def test_an_assessment_says_what_each_guideline_says_by_whatever_body_it_is_asked_and_stores_nothing(
    department: Department,
) -> None:
    story = await one_exam(department)
    await story.requested()
    answers = a_screening(story.cast)
    await department.fresh()
    before = await rows(department)
    assert before["resource"] > 0

    inline = {"name": "response", "resource": answers}
    call = {"resourceType": "Parameters", "parameter": [inline, {"name": "policy", "valueCode": "esur-10"}]}
    told = await department.post("QuestionnaireResponse/$assess", call)
    assert told.status_code == 200, told.text
    assert set(clearances(told.json())) == {"esur-10"}

    by_itself = await department.post("QuestionnaireResponse/$assess", answers)
    assert by_itself.status_code == 200, by_itself.text
    assert set(clearances(by_itself.json())) == {"esur-10", "csr-2", "acr-2024"}
    assert clearances(by_itself.json())["esur-10"] == clearances(told.json())["esur-10"]

    patient = {**(await department.get(story.cast.subject["reference"])), "id": "of-another-house"}
    sample = {**an_egfr(story.cast), "id": "s", "subject": {"reference": "Patient/of-another-house"}}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}, {"resource": sample}]}
    facts = await department.post("QuestionnaireResponse/$assess", bundle)
    assert facts.status_code == 200, facts.text
    assert set(clearances(facts.json()).values()) == {"physician-decision"}

    call["parameter"][1]["valueCode"] = "acr-1999"
    unknown = await department.post("QuestionnaireResponse/$assess", call)
    assert unknown.status_code == 422
    assert rules(unknown) == {"consent.policy-unknown"}
    assert "acr-2024" in texts(unknown)
    stray = await department.post("QuestionnaireResponse/$assess", {"resourceType": "Patient"})
    assert stray.status_code == 400

    assert await rows(department) == before


async def test_answers_kept_here_are_assessed_by_their_reference_with_what_order_knows(department: Department) -> None:
    story = await one_exam(department)
    await story.requested()
    kept = await story.made(a_screening(story.cast))
    low = an_egfr(story.cast)
    low["valueQuantity"]["value"] = 28
    low["effectiveDateTime"] = story.cast.moment()
    await story.made(low)
    await department.fresh()
    asked = {"name": "response-reference", "valueReference": {"reference": f"QuestionnaireResponse/{kept['id']}"}}
    told = await department.post("QuestionnaireResponse/$assess", {"resourceType": "Parameters", "parameter": [asked]})
    assert told.status_code == 200, told.text
    found = {
        issue["resource"]["code"]["coding"][0]["code"]
        for one in parts_named(told.json(), "assessment")
        for issue in one["part"]
        if issue["name"] == "issue"
    }
    assert "consent.renal-function" in found
    assert parts_named(told.json(), "asOf")


@settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)  # fmt: skip
@given(breaks=broken_call(), filled=st.booleans())
async def test_a_call_with_something_broken_is_answered_or_refused_at_its_element(
    story: OneExam, breaks: list[tuple[int, str, Any]], filled: bool
) -> None:
    body = filling(story) if filled else assessment(story)
    for place, how, put in breaks:
        if ways := list(places(body)):
            broken(body, ways[place % len(ways)], how, put)
    operation = "Questionnaire/$populate" if filled else "QuestionnaireResponse/$assess"
    answer = await story.department.post(operation, body)
    assert answer.status_code < 500, (answer.text, body)
    if answer.status_code >= 400:
        issues = answer.json()["issue"]
        assert all(one.get("expression") and one["details"]["text"] for one in issues), (issues, body)


@pytest.mark.clause("5.3.2.5")
async def test_a_contrast_policy_of_the_department_decides_once_a_second_person_has_approved_it(
    department: Department,
) -> None:
    story = await one_exam(department)
    await story.requested()
    await story.joined("head", "chief-physician", "ct-head")
    await story.joined("quality manager", "chief-physician", "quality-manager")
    one = await department.client_of("policy-drafter", story.cast.staff["head"])
    other = await department.client_of("policy-approver", story.cast.staff["quality manager"])
    answers, low = copy.deepcopy(a_screening(story.cast)), {**an_egfr(story.cast), "id": "s"}
    for item in answers["item"]:
        if item["linkId"] == "metformin":
            item["answer"][0]["valueCoding"]["code"] = "Y"
    low |= {"effectiveDateTime": story.cast.moment(), "valueQuantity": {**low["valueQuantity"], "value": 40}}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": low}]}

    async def cleared() -> tuple[str, str]:
        await department.fresh()
        asked = [{"name": "response", "resource": answers}, {"name": "bundle", "resource": bundle}]
        call = {"resourceType": "Parameters", "parameter": asked}
        told = await department.post("QuestionnaireResponse/$assess", call)
        assert told.status_code == 200, told.text
        return clearances(told.json())["esur-10"], clearances(told.json())["csr-2"]

    shipped = await cleared()
    assert shipped[0] != "contraindicated"
    entries = [("esur-10:consent.metformin:limit_severe_ml_min", {"valueDecimal": 45})]
    entries += [("esur-10:consent.metformin:below_severe", {"valueCode": "stop"})]
    draft = await department.post("PlanDefinition", {
        "resourceType": "PlanDefinition", "url": f"{C}/PlanDefinition/contrast-policy", "version": "2026-1", "status": "draft",
        "extension": [
            {"url": f"{C}/StructureDefinition/rule-limit", "extension": [{"url": "id", "valueString": name}, {"url": "value", **value}]}
            for name, value in entries
        ],
    }, one)  # fmt: skip
    assert draft.status_code == 201, draft.text
    assert await cleared() == shipped, "a draft decides nothing"
    active = draft.json() | {"status": "active"}
    alone = await department.put(active, one)
    assert alone.status_code == 403 and rules(alone) == {"order.rule-set-second-person"}, texts(alone)
    approved = await department.put(active, other)
    assert approved.status_code == 200, approved.text
    assert await cleared() == ("contraindicated", shipped[1]), "the other packs stay as they are"
    retired = await department.put(approved.json() | {"status": "retired"}, other)
    assert retired.status_code == 200, retired.text
    assert await cleared() == shipped
    await one.aclose()
    await other.aclose()
