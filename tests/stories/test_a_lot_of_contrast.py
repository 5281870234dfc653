"""A lot of contrast from its receipt to its recall: refused until it is accepted, counted, stopped at once (5.3.2.1, 5.3.2.3)."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from slipring.fhir.service import CANONICAL as C
from slipring_demo.contrast import an_injection
from slipring_demo.lots import a_delivery, a_lot, a_quantity
from slipring_demo.teller import parameters

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, rules, texts

Tree = dict[str, Any]


async def an_exam_with(department: Department, lot: Tree) -> OneExam:
    """An exam that is cleared, whose contrast is to come from this lot."""
    story = await one_exam(department)
    made = await story.made(lot)
    story.cast.lot = f"Medication/{made['id']}"
    await story.made(a_delivery(story.cast, story.cast.lot, bottles=2))
    await story.requested()
    await story.moved("scheduled", "arrived", "ready", "in-progress")
    await story.cleared()
    return story


def _by(story: OneExam) -> Tree:
    return {"performer": ("Reference", story.cast.person("nurse"))}


def _parts(answer: Tree, name: str) -> list[dict[str, Any]]:
    """The repeating parts of an answer, each by the names of its parts."""
    return [
        {part["name"]: next(value for key, value in part.items() if key.startswith("value")) for part in one["part"]}
        for one in answer["parameter"]
        if one["name"] == name
    ]


@pytest.mark.clause("5.3.2.3")
@pytest.mark.clause("5.3.2.1")
@pytest.mark.clause("5.3.2.5")
async def test_a_lot_is_refused_accepted_given_counted_and_recalled(department: Department) -> None:
    number = f"SYN-{uuid4().hex[:8]}"
    story = await an_exam_with(department, a_lot(number))
    cast = story.cast
    refused = await story.injected()
    assert refused.status_code == 422 and rules(refused) == {"consent.lot-accepted"}, texts(refused)

    unnamed = await department.post(f"{cast.lot}/$accept", parameters())
    assert unnamed.status_code == 422 and "consent.lot-decider" in rules(unnamed)
    accepted = await story.called(f"{cast.lot}/$accept", **_by(story))
    assert accepted["extension"][-1]["url"] == f"{C}/StructureDefinition/lot-state"
    forged = accepted | {"batch": {"lotNumber": "another"}}
    assert "consent.lot-fixed" in rules(await department.put(forged))

    permitted = await story.injected()
    assert permitted.status_code == 201, permitted.text
    given = permitted.json() | {"status": "completed"}
    given["extension"] = [
        *given.get("extension", []),
        {"url": f"{C}/StructureDefinition/wasted", "valueQuantity": a_quantity(40, "mL")},
    ]
    assert (await department.put(given)).status_code == 200
    [missing] = [
        one
        for one in await department.found(f"DetectedIssue?implicated=MedicationAdministration/{given['id']}")
        if one["code"]["coding"][0]["code"] == "consent.record-complete"
    ]
    assert "留置针型号" in missing["detail"], "the fact is kept, and what it leaves out is listed"

    stock = await story.called("Medication/$stock", lot=("String", number))
    [line] = _parts(stock, "lot")
    assert [line[name]["value"] for name in ("received", "given", "wasted", "left")] == [200, 60, 40, 100]
    assert (line["state"]["code"], line["expires"], line["usableUntil"]) == (
        "accepted", "2029-06", "2029-06-30T16:00:00Z",
    )  # fmt: skip
    assert [one["usable"]["value"] for one in _parts(stock, "agent")] == [100]

    why = {"reason": ("CodeableConcept", {"text": "particles"}), "notice": ("String", "R-2026-7")}
    recalled = await story.called(f"{cast.lot}/$recall", **_by(story), **why)
    [who] = _parts(recalled, "given")
    assert who["administration"] == {"reference": f"MedicationAdministration/{given['id']}"}
    assert who["patient"] == cast.subject and who["running"] is False
    [task] = await department.found(f"Task?code=lot-recall&focus={cast.lot}")
    assert [line["valueReference"] for line in task["output"]] == [who["administration"]]
    again = await story.injected()
    assert again.status_code == 422 and "consent.lot-not-recalled" in rules(again), texts(again)
    twice = await department.post(f"{cast.lot}/$recall", parameters(**_by(story), **why))
    assert twice.status_code == 409 and "consent.illegal-move" in rules(twice)


@pytest.mark.clause("5.3.2.1")
async def test_who_injects_a_lot_that_is_recalled_is_told_at_once(department: Department) -> None:
    story = await one_exam(department)
    await story.requested()
    await story.moved("scheduled", "arrived", "ready", "in-progress")
    await story.cleared()
    running = await story.injected()
    assert running.status_code == 201, running.text
    told = f"Task?focus=MedicationAdministration/{running.json()['id']}&code=notice"
    assert await department.found(told) == []
    why = {"reason": ("CodeableConcept", {"text": "particles"})}
    answer = await story.called(f"{story.cast.lot}/$recall", **_by(story), **why)
    assert [one["running"] for one in _parts(answer, "given")] == [True]
    [notice] = await department.found(told)
    assert notice["priority"] == "stat" and "已召回" in notice["description"]


@pytest.mark.clause("5.3.2.1")
async def test_an_injection_that_was_recorded_in_error_leaves_the_stock_again(department: Department) -> None:
    story = await one_exam(department)
    await story.requested()
    await story.moved("scheduled", "arrived", "ready", "in-progress")
    await story.cleared()
    number = (await department.get(story.cast.lot))["batch"]["lotNumber"]

    async def counted() -> list[Any]:
        [line] = _parts(await story.called("Medication/$stock", lot=("String", number)), "lot")
        return [line[name]["value"] for name in ("given", "wasted", "left")]

    given = (await story.injected()).json() | {"status": "completed"}
    thrown = {"url": f"{C}/StructureDefinition/wasted", "valueQuantity": a_quantity(40, "mL")}
    given["extension"] = [*given.get("extension", []), thrown]
    stored = await department.put(given)
    assert stored.status_code == 200, stored.text
    assert await counted() == [60, 40, 1900]
    wrong = await department.put(stored.json() | {"status": "entered-in-error"})
    assert wrong.status_code == 200, wrong.text
    assert await counted() == [0, 0, 2000]


@pytest.mark.clause("5.3.2.1")
async def test_one_delivery_note_counts_once_and_one_lot_is_entered_once(department: Department) -> None:
    story = await one_exam(department)
    lot = await department.get(story.cast.lot)
    copied = {name: lot[name] for name in ("resourceType", "code", "amount", "ingredient", "batch")}
    twice = await department.post("Medication", copied)
    assert twice.status_code == 409 and "consent.lot-entered" in rules(twice)
    note = {"system": f"{C}/sid/lot-receipt", "value": f"LS-{uuid4().hex[:8]}"}
    delivery = a_delivery(story.cast, story.cast.lot) | {"identifier": [note]}
    kept = await story.made(delivery)
    assert {one["system"] for one in kept["identifier"]} == {note["system"], f"{C}/sid/lot"}
    assert (await department.post("SupplyDelivery", delivery)).status_code == 409


async def test_in_an_emergency_a_named_physician_takes_a_lot_that_nobody_accepted(department: Department) -> None:
    story = await an_exam_with(department, a_lot(f"SYN-{uuid4().hex[:8]}"))
    by = story.cast.person("first reader")
    reason = {"coding": [{"system": f"{C}/CodeSystem/override-reason", "code": "emergency"}]}
    override = {
        "url": f"{C}/StructureDefinition/override",
        "extension": [{"url": "by", "valueReference": by}, {"url": "reason", "valueCodeableConcept": reason}],
    }
    await department.fresh()
    passed = await department.post("MedicationAdministration", an_injection(story.cast) | {"extension": [override]})
    assert passed.status_code == 201, passed.text
    kept = await department.found(f"DetectedIssue?implicated=MedicationAdministration/{passed.json()['id']}")
    [issue] = [one for one in kept if one["code"]["coding"][0]["code"] == "consent.lot-accepted"]
    assert issue["mitigation"][0]["author"] == by
