"""A technologist is assessed, works, lapses and is reminded of it: through the front, on the real store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.support.department import Department
from tests.support.staffing import a_member, an_answer, held

Tree = dict[str, Any]


async def joined(department: Department, title: str, *qualifications: Tree, roles: tuple[str, ...]) -> Tree:
    """A new member of staff; the Practitioner as it is kept."""
    person, role = a_member("x", title, *qualifications, roles=roles)
    made = await department.post("Practitioner", {name: value for name, value in person.items() if name != "id"})
    assert made.status_code == 201, made.text
    tree: Tree = made.json()
    role |= {"practitioner": {"reference": f"Practitioner/{tree['id']}"}}
    answer = await department.post("PractitionerRole", {name: value for name, value in role.items() if name != "id"})
    assert answer.status_code == 201, answer.text
    return tree


async def called(department: Department, address: str, *given: Tree) -> Tree:
    answer = await department.post(address, {"resourceType": "Parameters", "parameter": list(given)})
    assert answer.status_code == 200, answer.text
    tree: Tree = answer.json()
    return tree


async def may_operate(department: Department, person: Tree) -> list[str]:
    """What he lacks to operate a scanner."""
    asked = {"name": "act", "valueCode": "operate-ct"}
    told = await called(department, f"Practitioner/{person['id']}/$may", asked)
    [act] = [one["part"] for one in told["parameter"] if one["name"] == "act"]
    return [part["valueCodeableConcept"]["coding"][0]["code"] for part in act if part["name"] == "reason"]


@pytest.mark.clause("5.1.6")
async def test_an_assessment_makes_competence_and_its_lapse_makes_a_task(department: Department) -> None:
    today = department.clock.now().date()
    ends = (today + timedelta(days=3000)).isoformat()
    papers = [held(code, "2019-01-01", ends) for code in ("radiation-worker-certificate", "ct-equipment-certificate")]
    head = await joined(department, "associate-chief-physician", roles=("ct-head",))
    tech = await joined(department, "technologist", *papers, roles=("technologist",))
    await department.settle()
    assert await may_operate(department, tech) == ["staff.competence"]

    forged = await department.get(f"Practitioner/{tech['id']}")
    forged["qualification"].append(held("competence", "2026-01-01", "2036-01-01"))
    refused = await department.put(forged)
    assert refused.status_code == 422 and "Practitioner.qualification[3]" in refused.text

    said = {"duty": "technologist", "skills": True, "first_aid": True, "protection": True, "result": "passed"}
    form = an_answer(
        "x", "competence", f"Practitioner/{tech['id']}", today.isoformat(), f"Practitioner/{head['id']}", **said
    )
    answer = await department.post("QuestionnaireResponse", {name: v for name, v in form.items() if name != "id"})
    assert answer.status_code == 201, answer.text
    assert await may_operate(department, tech) == []
    assert [form["id"] for form in await department.found("Questionnaire?_id=o-competence")] == ["o-competence"]

    subject = {"name": "subject", "valueReference": {"reference": f"Practitioner/{tech['id']}"}}
    next_year = (today + timedelta(days=366)).isoformat()
    told = await called(department, "Organization/$due", subject, {"name": "on", "valueDate": next_year})
    lines = [one["part"] for one in told["parameter"] if one["name"] == "item"]
    assert any({"name": "state", "valueCode": "overdue"} in line for line in lines), told

    await department.settle()
    renewals = f"Task?code=renewal&focus=Practitioner/{tech['id']}&status=requested"
    assert await department.found(renewals) == []
    await department.wait(days=367)
    tasks = await department.found(renewals)
    assert [task["reasonCode"]["coding"][0]["code"] for task in tasks] == ["CL02-A011:5.1.6"]
    assert await may_operate(department, tech) == ["staff.competence"]


@pytest.mark.clause("5.1.3", "4.8")
async def test_staffing_and_complaints_of_a_period_are_told_to_whoever_may_see_the_whole(
    department: Department,
) -> None:
    await joined(department, "technologist", roles=("technologist",))
    today = department.clock.now().date()
    complaint = {
        "resourceType": "Task", "status": "requested", "intent": "order", "description": "等候过久",
        "code": {"coding": [{"system": "https://slipring.example/fhir/CodeSystem/task-code", "code": "complaint"}]},
    }  # fmt: skip
    assert (await department.post("Task", complaint)).status_code == 201
    period = [
        {"name": "periodStart", "valueDate": (today - timedelta(days=30)).isoformat()},
        {"name": "periodEnd", "valueDate": (today + timedelta(days=1)).isoformat()},
    ]
    for address, figure in (("Organization/$staffing", "technologist-load"), ("Task/$complaints", "complaints-open")):
        told = await called(department, address, *period)
        groups = {group["id"]: group for group in told["parameter"][0]["resource"]["group"]}
        assert len(groups[figure]["population"]) >= 1 and groups[figure]["extension"]
        kept = await department.post("MeasureReport", told["parameter"][0]["resource"])
        assert kept.status_code == 201, kept.text  # whoever wants it as evidence stores it as it was told
    reader = department.client("demo-his", "system/Organization.rs system/Task.rs")
    refused = await department.post(
        "Organization/$staffing", {"resourceType": "Parameters", "parameter": period}, reader
    )
    assert refused.status_code == 403
    await reader.aclose()
