"""What an integrator meets at the edges of the front: each refusal says what is wrong and where."""

from __future__ import annotations

from tests.support.department import Department
from tests.support.one_exam import one_exam


async def test_an_update_of_a_report_names_the_version_it_was_made_from(department: Department) -> None:
    """Two people may be writing: without If-Match the second would wipe out the first (5.8)."""
    exam = await one_exam(department)
    await exam.requested()
    report = await exam.drafted()
    tree = await department.get(report)
    blind = await department.put(tree)
    assert blind.status_code == 428
    assert "If-Match" in blind.text
    assert (await department.put(tree, If_Match=f'W/"{tree["meta"]["versionId"]}"')).status_code == 200


async def test_two_entries_with_one_full_url_are_refused(department: Department) -> None:
    """A reference to that fullUrl would name two resources (bdl-7)."""
    entry = {
        "fullUrl": "urn:uuid:6f1f1f0a-0c6e-4a53-9c8e-0d3c7a9f0001",
        "resource": {"resourceType": "Patient"},
        "request": {"method": "POST", "url": "Patient"},
    }
    answer = await department.post("", {"resourceType": "Bundle", "type": "transaction", "entry": [entry, entry]})
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[1].fullUrl"]


async def test_a_parameter_that_would_be_ignored_is_refused(department: Department) -> None:
    """The client meant something by it."""
    answer = await department.post("Patient?foo=1", {"resourceType": "Patient"})
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["foo"]


async def test_every_operation_listed_by_the_front_can_be_looked_up_there(department: Department) -> None:
    """The CapabilityStatement is honest: each definition it names is answered under the same base."""
    statement = await department.get("metadata")
    named = [
        (o["definition"].rpartition("/")[2], o["name"])
        for r in statement["rest"][0]["resource"]
        for o in r.get("operation", [])
    ]
    assert len(named) > 5
    for definition, name in named:
        assert (await department.get(f"OperationDefinition/{definition}"))["code"] == name


async def test_an_unknown_decision_is_told_the_known_ones(department: Department) -> None:
    """`$decide` names its codes."""
    exam = await one_exam(department)
    await exam.requested()
    task = await exam.task()
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "decision", "valueCode": "perhaps"},
            {"name": "reason", "valueCodeableConcept": {"text": "not sure"}},
            {"name": "performer", "valueReference": {"reference": exam.cast.staff["first reader"]}},
        ],
    }
    answer = await department.post(f"Task/{task['id']}/$decide", body)
    assert answer.status_code == 422
    assert "justified" in answer.text
    assert answer.json()["issue"][0]["expression"] == ["Parameters.parameter[0]"]
