"""The department's catalogue: what it adds over the shipped union, approved by two, and what it may never take away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.clauses.critical_findings import critical_findings
from slipring.fhir.service import Call, Resource
from slipring.quality.critical_catalogue import catalogue
from slipring_critical.cases.facts import case_facts
from slipring_critical.handlers.catalogue import catalogue_told

from tests.support.alerting import a_catalogue, an_entry
from tests.support.desk import ADesk
from tests.support.laying_down import a_desk, altered, approved, refusal, written
from tests.support.ringing import ARinging, a_department, a_finding, a_handover

AAA = an_entry("DEPT-01", "stat", "脊髓受压", "spinal cord compression", "硬膜囊受压")
RAISED = an_entry("CV-CT-07", "stat")


async def told(desk: ADesk) -> dict[str, Resource]:
    changes = await catalogue_told(Call({"resourceType": "Parameters"}), desk)
    entries = [
        {part["name"]: part for part in one["part"]} for one in (changes.answer or {})["parameter"] if "part" in one
    ]
    return {one["code"]["valueCode"]: one for one in entries}


@pytest.mark.clause("5.9.1")
async def test_an_edition_approved_by_two_lies_over_the_shipped_union_and_takes_nothing_away() -> None:
    desk = a_desk()
    draft = await written(desk, a_catalogue(AAA), "first")
    assert (await told(desk)).keys() == critical_findings().keys()
    assert await refusal(desk, {**draft, "status": "active"}, "first") == [
        ("critical.plan-second-person", "PlanDefinition.status")
    ]
    await written(desk, {**draft, "status": "active"}, "second")

    entries = await told(desk)
    assert entries.keys() == critical_findings().keys() | {"DEPT-01"}
    assert entries["DEPT-01"]["synonym"]["valueString"] == "硬膜囊受压"
    assert catalogue(desk.held.values(), desk.now)["CV-CT-07"] == critical_findings()["CV-CT-07"]


@pytest.mark.clause("5.9.1")
async def test_a_finding_of_the_departments_own_rings_at_its_level() -> None:
    desk = a_desk()
    plan = await approved(desk, a_catalogue(an_entry("DEPT-02", "routine", "肺结节", "lung nodule")))
    ringing = ARinging(*a_department())
    ringing.desk.held[plan.reference] = plan
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding("DEPT-02"))
    assert case_facts(ringing.case).policy.level == "3"
    assert "critical.known-finding" not in [one.who for one in case_facts(ringing.case).events]


@pytest.mark.parametrize(
    ("at", "value", "detail", "element"),
    [
        ("action", [], "entries", "action"),
        ("action.0.code.0.coding.0.code", "CV-CT-99", "code", "action[0].code"),
        ("action.0.code.0.coding.0.code", "no code", "code", "action[0].code"),
        ("action.0.code", [], "code", "action[0].code"),
        ("action.0.code.0.coding.0.code", "CV-CT-07", "twice", "action[1].code"),
        ("action.0.priority", None, "level", "action[0].priority"),
        ("action.0.priority", "asap", "level", "action[0].priority"),
        ("action.1.priority", "routine", "lowered", "action[1].priority"),
        ("action.0.title", None, "name", "action[0].title"),
        ("action.0.textEquivalent", " ", "name", "action[0].textEquivalent"),
        ("action.0.code.1.text", "", "synonym", "action[0].code[1].text"),
    ],
)  # fmt: skip
async def test_an_edition_that_would_lose_or_blur_a_finding_is_refused_at_the_element(
    at: str, value: Any, detail: str, element: str
) -> None:
    found = await refusal(a_desk(), altered(a_catalogue(AAA, RAISED), at, value), "first")
    assert (f"critical.catalogue-{detail}", f"PlanDefinition.{element}") in found


@pytest.mark.clause("5.9.1")
async def test_what_the_department_added_is_never_emptied_silently() -> None:
    desk = a_desk()
    await approved(desk, a_catalogue(AAA))
    lesser = a_catalogue(RAISED, id="k-second")
    assert await refusal(desk, lesser, "first") == [("critical.catalogue-dropped", "PlanDefinition.purpose")]
    desk.now += timedelta(minutes=1)
    await approved(desk, {**lesser, "purpose": "told by the ward itself since May"})
    assert "DEPT-01" not in await told(desk)
