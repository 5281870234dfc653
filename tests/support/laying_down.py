"""What the department lays down, as it is written by one person and approved by another, in memory."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource, Stored, Write
from slipring_critical.handlers.plans import plan_written
from slipring_critical.settings import CriticalSettings

from tests.support.alerting import a_head, in_person
from tests.support.desk import ADesk


def a_desk(*holding: Resource) -> ADesk:
    people = [*a_head("first"), *a_head("second"), {"resourceType": "Practitioner", "id": "o-clerk", "active": True}]
    return ADesk(holding=[*people, *holding], settings=CriticalSettings(), letter="k")


async def written(desk: ADesk, plan: Resource, by: str, method: Any = "update") -> Resource:
    """What is kept when somebody writes a plan."""
    desk.caller = in_person(by)
    before = desk.held.get(f"PlanDefinition/{plan['id']}")
    changes = await plan_written(Write(method if before else "create", plan, before), desk)
    kept = desk.carry_out(changes, plan)
    assert kept is not None
    return kept


async def approved(desk: ADesk, plan: Resource) -> Stored:
    draft = await written(desk, plan, "first")
    await written(desk, {**draft, "status": "active"}, "second")
    return desk.held[f"PlanDefinition/{plan['id']}"]


async def refusal(desk: ADesk, plan: Resource, by: str = "second", method: Any = "update") -> list[tuple[str, str]]:
    with pytest.raises(FhirError) as refused:
        await written(desk, plan, by, method)
    assert all(issue.zh and issue.en for issue in refused.value.issues)
    return [(issue.detail, issue.at) for issue in refused.value.issues]


def altered(sound: Resource, at: str, value: Any) -> Resource:
    """A sound plan with one member altered; None leaves it out."""
    plan: Any = copy.deepcopy(sound)
    node, *path = plan, *[int(part) if part.isdigit() else part for part in at.split(".")]
    for part in path[:-1]:
        node = node[part]
    if value is None:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return dict(plan)
