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
