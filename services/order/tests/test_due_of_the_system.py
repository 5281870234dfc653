"""What the department owes of its information system and of what it keeps: papers, drills, checks of interfaces (5.10.1, 5.7.2)."""

from __future__ import annotations

import pytest
from slipring.fhir.service import Call, Resource
from slipring_order.handlers.due import due_told

from tests.support.staffing import a_document, a_house, an_answer


async def states(*held: Resource, on: str = "2026-03-01") -> dict[str, str]:
    """Of the two clauses, how each thing that is owed stands."""
    asked = {"resourceType": "Parameters", "parameter": [{"name": "on", "valueDate": on}]}
    found = {}
    for item in ((await due_told(Call(asked), a_house(*held))).answer or {})["parameter"]:
        told = {one["name"]: one for one in item.get("part", [])}
        if told and told["clause"]["valueString"] in ("CL02-A011:5.10.1", "CL02-A011:5.7.2"):
            found[str(told["what"]["valueCoding"]["code"])] = str(told["state"]["valueCode"])
    return found


@pytest.mark.clause("5.10.1", "5.7.2")
async def test_papers_drill_and_checks_of_interfaces_are_owed() -> None:
    drill = an_answer("o-a", "downtime-drill", "Organization/o-d", "2025-03-01", kit=True, worked=True, recorded=True)
    check = an_answer(
        "o-b", "interface-check", "Organization/o-d", "2026-02-01", patient=True, images=False, printed=True
    )
    held = (drill, check, a_document("o-m", "authority-matrix", "2026-01-01"))
    assert await states() == {
        "retention-policy": "missing", "authority-matrix": "missing", "downtime-plan": "missing",
        "downtime-drill": "missing", "interface-check": "missing",
    }  # fmt: skip
    assert await states(*held) == {
        "retention-policy": "missing", "downtime-plan": "missing", "downtime-drill": "due", "interface-check": "failed",
    }  # fmt: skip
    assert (await states(*held, on="2026-03-02"))["downtime-drill"] == "overdue"
    wrong = an_answer("o-c", "disposal", "Organization/o-d", "2026-02-01", **{"past-term": False, "two-people": True})
    assert (await states(wrong))["disposal"] == "failed"
