"""Conditional writes on types that several services keep: one condition, one resource, whoever keeps it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.front.hospital import IMPORTING, His, Tree, a_patient, a_task, an_observation, fresh, reference, to
from tests.support.department import Department

SYSTEM = "urn:lab"


@pytest.fixture(scope="module")
async def his(department: Department) -> His:
    return His(department, IMPORTING)


@pytest.fixture(scope="module")
async def patient(his: His) -> Tree:
    return await his.made(a_patient("Condition"))


def known(number: str) -> list[Tree]:
    return [{"system": SYSTEM, "value": number}]


async def holding(his: His, number: str, kept_type: str = "Observation") -> list[str]:
    return await his.ids(f"{kept_type}?identifier={SYSTEM}|{number}")


async def test_a_create_finds_what_another_service_keeps(his: His, patient: Tree) -> None:
    number = fresh("N")
    first = await his.made(an_observation(patient, "imaging", identifier=known(number)))
    assert first["id"].startswith("r-")
    same = an_observation(patient, "laboratory", identifier=known(number))  # would be kept by order
    answer = await his.ask("POST", "Observation", same, If_None_Exist=f"identifier={SYSTEM}|{number}")
    assert answer.status_code == 200, answer.text
    assert f"/fhir/Observation/{first['id']}/" in answer.headers["location"]
    assert await holding(his, number) == [first["id"]]


async def test_many_who_ask_at_once_with_contents_of_several_services_make_one(his: His, patient: Tree) -> None:
    for _ in range(5):
        number = fresh("N")
        condition = f"identifier={SYSTEM}|{number}"
        kinds = ("imaging", "laboratory", "vital-signs", "imaging", "laboratory", "imaging")
        asked = [
            his.ask("POST", "Observation", an_observation(patient, kind, identifier=known(number)), If_None_Exist=condition)
            for kind in kinds
        ]  # fmt: skip
        answers = await asyncio.gather(*asked)
        assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
        assert len(await holding(his, number)) == 1


async def test_a_batch_and_a_transaction_hold_the_condition_as_well(his: His, patient: Tree) -> None:
    number = fresh("N")
    condition = f"identifier={SYSTEM}|{number}"

    def entry(kind: str) -> Tree:
        resource = an_observation(patient, kind, identifier=known(number))
        return {"resource": resource, "request": {"method": "POST", "url": "Observation", "ifNoneExist": condition}}

    batch = {"resourceType": "Bundle", "type": "batch", "entry": [entry("imaging"), entry("laboratory")]}
    answer = await his.ask("POST", "", batch)
    assert sorted(e["response"]["status"][:3] for e in answer.json()["entry"]) == ["200", "201"], answer.text
    [only] = await holding(his, number)
    transaction = {"resourceType": "Bundle", "type": "transaction", "entry": [entry("imaging")]}
    answer = await his.ask("POST", "", transaction)
    assert answer.status_code == 200, answer.text
    assert f"/Observation/{only}/" in answer.json()["entry"][0]["response"]["location"]
    assert await holding(his, number) == [only]


async def test_a_transaction_whose_condition_is_met_elsewhere_names_both_owners(his: His, patient: Tree) -> None:
    number = fresh("N")
    await his.made(an_observation(patient, "imaging", identifier=known(number)))
    entries = [
        {"resource": a_patient("Mixed"), "request": {"method": "POST", "url": "Patient"}},
        {
            "resource": an_observation(patient, identifier=known(number)),
            "request": {"method": "POST", "url": "Observation", "ifNoneExist": f"identifier={SYSTEM}|{number}"},
        },
    ]
    answer = await his.ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert answer.status_code == 422
    issues = answer.json()["issue"]
    assert {place for issue in issues for place in issue["expression"]} == {"Bundle.entry[0]", "Bundle.entry[1]"}
    assert any("report" in issue["diagnostics"] for issue in issues)


async def test_an_update_by_criteria_goes_to_whoever_keeps_the_match(his: His, patient: Tree) -> None:
    number = fresh("N")
    criteria = f"Observation?identifier={SYSTEM}|{number}"
    new = an_observation(patient, "imaging", identifier=known(number))
    answer = await his.ask("PUT", criteria, new)
    assert answer.status_code == 201, answer.text
    [made] = await holding(his, number)
    assert made.startswith("r-")
    answer = await his.ask(
        "PUT", criteria, an_observation(patient, "imaging", identifier=known(number), valueString="b")
    )
    assert answer.status_code == 200, answer.text
    assert await holding(his, number) == [made]


async def test_a_patch_and_a_delete_by_criteria_go_to_whoever_keeps_the_match(his: His) -> None:
    number = fresh("N")
    form = {"resourceType": "Questionnaire", "status": "draft", "identifier": known(number), "url": "urn:x/screening"}
    made = await his.made(form)
    assert made["id"].startswith("c-")
    steps = [{"op": "replace", "path": "/status", "value": "active"}]
    criteria = f"Questionnaire?identifier={SYSTEM}|{number}"
    patch = {"Content_Type": "application/json-patch+json"}
    answer = await his.ask("PATCH", criteria, steps, **patch)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "active" and answer.json()["id"] == made["id"]
    assert (await his.ask("DELETE", criteria)).status_code in (200, 204)
    assert (await his.ask("GET", f"Questionnaire/{made['id']}")).status_code == 410
    assert (await his.ask("PATCH", criteria, steps, **patch)).status_code == 404


async def test_matches_with_several_services_are_one_too_many(his: His, patient: Tree) -> None:
    number = fresh("N")
    await his.made(an_observation(patient, "imaging", identifier=known(number)))
    await his.made(an_observation(patient, identifier=known(number)))
    condition = f"identifier={SYSTEM}|{number}"
    asked: list[tuple[str, str, Any, dict[str, str]]] = [
        ("POST", "Observation", an_observation(patient), {"If_None_Exist": condition}),
        ("PUT", f"Observation?{condition}", an_observation(patient), {}),
        ("DELETE", f"Observation?{condition}", None, {}),
    ]
    for method, path, body, headers in asked:
        answer = await his.ask(method, path, body, **headers)
        assert answer.status_code == 412, (method, answer.text)
        assert answer.json()["issue"][0]["code"] == "multiple-matches"
    assert len(await holding(his, number)) == 2


async def test_a_condition_with_a_step_to_another_service_is_taken_by_the_front(his: His) -> None:
    family = fresh("Steps")
    patient = await his.made(a_patient(family))
    condition = f"patient.name={family}&code=hand-over"
    task = a_task("hand-over", **{"for": to(patient)})
    first = await his.ask("POST", "Task", task, If_None_Exist=condition)
    again = await his.ask("POST", "Task", task, If_None_Exist=condition)
    assert (first.status_code, again.status_code) == (201, 200), again.text
    consent = {
        "resourceType": "Consent", "status": "proposed", "patient": to(patient),
        "scope": {"text": "treatment"}, "category": [{"text": "contrast"}], "policyRule": {"text": "synthetic"},
    }  # fmt: skip
    answers = [await his.ask("POST", "Consent", consent, If_None_Exist=f"patient.name={family}") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200], answers[0].text


@pytest.mark.parametrize("condition", ["", "_count=1", "shoe=1", "identifier=%FF"])
async def test_a_condition_that_says_nothing_or_nonsense_is_refused(his: His, patient: Tree, condition: str) -> None:
    answer = await his.ask("PUT", f"Observation?{condition}", an_observation(patient))
    assert answer.status_code == 400, answer.text
    issue = answer.json()["issue"][0]
    assert issue["details"]["text"] != issue["diagnostics"]


async def test_a_transaction_points_at_what_another_service_keeps_by_criteria(his: His) -> None:
    number = fresh("MRN")
    patient = await his.made(a_patient("Pointed", identifier=known(number)))
    criteria = f"Patient?identifier={SYSTEM}|{number}"
    observation = {
        **an_observation(patient, "imaging"),
        "subject": {"reference": criteria},
        "valueString": "72.50 \\u4e2d",
    }
    entries = [{"resource": observation, "request": {"method": "POST", "url": "Observation"}}]
    transaction = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = await his.ask("POST", "", transaction)
    assert answer.status_code == 200, answer.text
    [made] = await his.pages(f"Observation?patient={patient['id']}")
    assert made["entry"][0]["resource"]["subject"] == to(reference(patient))
    entries[0]["resource"]["subject"]["reference"] = "Patient?identifier=urn:lab|nobody"
    answer = await his.ask("POST", "", transaction)
    assert answer.status_code == 412
    assert answer.json()["issue"][0]["expression"] == ["Bundle.entry[0].resource.subject.reference"]
