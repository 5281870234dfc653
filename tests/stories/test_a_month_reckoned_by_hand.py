"""Figures that a quality manager reckons by hand: the first and last moment of a month, and a complaint at its limit (4.14.7)."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.department import Department
from tests.support.one_exam import one_exam

C = "https://slipring.example/fhir"
Tree = dict[str, Any]
QUESTIONS = ("waiting", "explained", "staff", "privacy", "surroundings", "report")


def answered(*points: int, **members: str) -> Tree:
    items = [{"linkId": link, "answer": [{"valueInteger": n}]} for link, n in zip(QUESTIONS, points, strict=False)]
    form = {"questionnaire": f"{C}/Questionnaire/satisfaction-patient", "status": "completed", "item": items}
    return {"resourceType": "QuestionnaireResponse", **form, **members}


def counts(report: Tree) -> tuple[int, int]:
    """Numerator and denominator."""
    found = {one["code"]["coding"][0]["code"]: one["count"] for one in report["group"][0]["population"]}
    return found["numerator"], found["denominator"]


def hash_of(report: Tree) -> str:
    [found] = [one["valueString"] for one in report["extension"] if one["url"].endswith("/inputs-hash")]
    return str(found)


def a_complaint(received: str) -> Tree:
    code = {"coding": [{"system": f"{C}/CodeSystem/task-code", "code": "complaint"}]}
    outcome = {"coding": [{"system": f"{C}/CodeSystem/task-input", "code": "outcome"}]}
    return {
        "resourceType": "Task",
        "status": "requested",
        "intent": "order",
        "code": code,
        "authoredOn": received,
        "description": "等候时间长",
        "output": [{"type": outcome, "valueString": "已说明"}],
    }


async def in_state(department: Department, task: Tree, state: str) -> Tree:
    stated = {"businessStatus": {"coding": [{"system": f"{C}/CodeSystem/quality-state", "code": state}]}}
    written = await department.put(task | stated)
    assert written.status_code == 200, written.text
    tree: Tree = written.json()
    return tree


@pytest.mark.clause("4.14.7")
async def test_a_month_ends_with_its_last_moment_and_a_complaint_was_closed_when_it_was_closed(
    department: Department,
) -> None:
    """What a quality manager reckons by hand: March 2026 in Shanghai, and complaints at the limit of their 30 days."""
    beside, within = (
        ("2026-02-28T23:59:59.999", "2026-04-01T00:00:00"),
        ("2026-03-01T00:00:00", "2026-03-31T23:59:59.999"),
    )
    for at in (*beside, *within):
        made = await department.post("QuestionnaireResponse", answered(4, 4, 4, 4, 4, 4, authored=f"{at}+08:00"))
        assert made.status_code == 201, made.text
    half = answered(4, 4, 3, authored="2026-03-09")  # valid, and a mean of 3.67
    taken = (await department.post("QuestionnaireResponse", half)).json()
    untold: dict[str, str]
    for untold in ({}, {"authored": "2026-03"}, {"authored": "2027-03-01"}):
        refused = await department.post("QuestionnaireResponse", answered(4, 4, 4, 4, 4, 4, **untold))
        assert refused.status_code == 422 and "QuestionnaireResponse.authored" in refused.text

    async def told(indicator: str, start: date, end: date) -> Tree:
        [measure] = await department.found(f"Measure?url={C}/Measure/{indicator}")
        assert measure["guidance"] and measure["_guidance"]["extension"]
        asking = f"Measure/{measure['id']}/$evaluate-measure?periodStart={start}&periodEnd={end}"
        return await department.get(asking)

    march = date(2026, 3, 1), date(2026, 3, 31)
    assert counts(await told("patients-satisfied", *march)) == (2, 3)
    wrong = await department.put(taken | {"status": "entered-in-error"})
    assert wrong.status_code == 200, wrong.text
    assert counts(await told("patients-satisfied", *march)) == (2, 2)

    now = department.clock.now().replace(microsecond=0)
    complaints = []
    for received in (now - timedelta(days=30), now - timedelta(days=30, seconds=1)):
        task = await department.post("Task", a_complaint(received.isoformat()))
        assert task.status_code == 201, task.text
        complaints.append(task.json())
    story = await one_exam(department)
    for state in ("taken", "answered", "closed"):
        owned = {"owner": story.cast.person("nurse")}
        complaints = [await in_state(department, one | owned, state) for one in complaints]
    day = (now - timedelta(days=30)).astimezone(ZoneInfo("Asia/Shanghai")).date()
    before = await told("complaints-handled", day, day)
    await department.wait(days=2)
    for task in complaints:
        await in_state(department, task | {"note": [{"text": "回访满意"}]}, "closed")
    after = await told("complaints-handled", day, day)
    assert counts(before) == counts(after) == (1, 2), "a word added to a closed complaint does not close it anew"
    assert hash_of(after) == hash_of(before)
