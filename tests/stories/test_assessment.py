"""Screening weighed by several guidelines before anything is decided: over HTTP, on what is known here, storing nothing."""

from __future__ import annotations

from typing import Any

import pytest
from slipring_demo.contrast import a_screening, an_egfr

from tests.support.assessing import part_of, parts_named
from tests.support.department import Department
from tests.support.one_exam import one_exam, rules, texts


def clearances(answer: dict[str, Any]) -> dict[str, str]:
    return {part_of(one, "policy"): part_of(one, "clearance") for one in parts_named(answer, "assessment")}


async def rows(department: Department) -> dict[str, int]:
    """How many rows each table of consent holds; the audit trail grows with every call and is left out."""
    pool = department.house.services["consent"].kernel.store.pool
    names = await pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    counted = {row["tablename"]: await pool.fetchval(f'SELECT count(*) FROM "{row["tablename"]}"') for row in names}
    return {name: count for name, count in counted.items() if "audit" not in name}


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
