"""The gate as people meet it: order silent for a minute, two nurses at once, a dry run, a crash cart out of date.

CNAS-CL02-A011 5.4.1 (consent before contrast), 5.3.2.5 (who may override), 5.2.5 (rescue drugs in date).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL as C
from slipring_demo.contrast import a_screening, an_injection
from slipring_demo.teller import value_of

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, rules, texts

Tree = dict[str, Any]


async def cleared(department: Department) -> OneExam:
    story = await one_exam(department)
    await story.requested()
    await story.moved("scheduled", "arrived", "ready", "in-progress")
    await story.cleared()
    await department.fresh()
    return story


def overridden(story: OneExam, reason: str, who: str = "first reader") -> list[Tree]:
    coded = {"coding": [{"system": f"{C}/CodeSystem/override-reason", "code": reason}]}
    parts = [{"url": "by", "valueReference": story.cast.person(who)}, {"url": "reason", "valueCodeableConcept": coded}]
    return [{"url": f"{C}/StructureDefinition/override", "extension": parts}]


def checking(administration: Tree) -> Tree:
    return {"resourceType": "Parameters", "parameter": [{"name": "administration", "resource": administration}]}


@pytest.mark.clause("5.4.1")
async def test_order_silent_for_a_minute_is_answered_with_its_age_and_the_way_open_in_an_emergency(
    department: Department,
) -> None:
    story = await cleared(department)
    department.clock.advance(timedelta(seconds=60))
    asked = an_injection(story.cast)
    stale = await department.post("MedicationAdministration", asked)
    assert stale.status_code == 503 and stale.headers["Retry-After"]
    assert "滞后 60 秒" in texts(stale), texts(stale)
    assert "consent.emergency-path" in rules(stale)

    by_the_nurse = asked | {"extension": overridden(story, "emergency", "nurse")}
    assert (await department.post("MedicationAdministration", by_the_nurse)).status_code == 422
    passed = await department.post("MedicationAdministration", asked | {"extension": overridden(story, "emergency")})
    assert passed.status_code == 201, passed.text
    about = f"DetectedIssue?implicated=MedicationAdministration/{passed.json()['id']}"
    marked = await department.found(f"{about}&code={C}/CodeSystem/gate-outcome|overridden")
    assert [rule_of(one) for one in marked] == ["consent.copies-fresh"]
    assert marked[0]["mitigation"][0]["author"] == story.cast.person("first reader")

    counted = await department.post("MedicationAdministration/$override-use", {"resourceType": "Parameters"})
    assert value_of(counted.json(), "overridden") >= 1
    await department.fresh()


@pytest.mark.clause("5.4.1")
async def test_two_nurses_ask_at_once_and_what_was_not_given_says_why(department: Department) -> None:
    story = await cleared(department)
    first = await department.post("MedicationAdministration", an_injection(story.cast))
    assert first.status_code == 201, first.text
    second = await department.post("MedicationAdministration", an_injection(story.cast))
    assert second.status_code == 422 and rules(second) == {"consent.one-at-a-time"}, texts(second)

    held = await department.put(first.json() | {"status": "on-hold"})
    assert held.status_code == 200, held.text
    left = {name: value for name, value in held.json().items() if name != "effectiveDateTime"}
    left |= {"status": "not-done", "effectiveDateTime": held.json()["effectiveDateTime"]}
    bare = await department.put(left)
    assert bare.status_code == 422, "not done has a reason"
    reason = {"text": "静脉穿刺失败 / no access"}
    assert (await department.put(left | {"statusReason": [reason]})).status_code == 200
    again = await story.injected()
    assert again.status_code == 201, again.text


@pytest.mark.clause("5.2.5")
async def test_a_dry_run_tells_of_the_crash_cart_and_stores_nothing(department: Department) -> None:
    story = await cleared(department)
    kind = {"coding": [{"system": f"{C}/CodeSystem/device-kind", "code": "crash-cart"}]}
    cart = await story.made({"resourceType": "Device", "status": "active", "type": kind})
    await story.made(a_cart_check(story, cart, adrenaline=-1))
    await department.fresh()
    before = await department.found("MedicationAdministration?_count=200")
    answer = await department.post("MedicationAdministration/$check", checking(an_injection(story.cast)))
    assert answer.status_code == 200, answer.text
    assert value_of(answer.json(), "permitted") is True, "as shipped it warns"
    found = [rule_of(one["resource"]) for one in answer.json()["parameter"] if one["name"] == "issue"]
    assert {"consent.crash-cart", "consent.rescue-drugs"} & set(found), found
    assert await department.found("MedicationAdministration?_count=200") == before

    due = await department.post("Organization/$due", {"resourceType": "Parameters"})
    lines = [one["part"] for one in due.json()["parameter"] if one["name"] == "item"]
    about = [
        parts
        for parts in lines
        if {"name": "subject", "valueReference": {"reference": f"Device/{cart['id']}"}} in parts
    ]
    assert about and any({"name": "state", "valueCode": "failed"} in parts for parts in about)

    await department.wait(minutes=1)
    await story.made(a_cart_check(story, cart, adrenaline=200))
    await department.fresh()
    answer = await department.post("MedicationAdministration/$check", checking(an_injection(story.cast)))
    found = [rule_of(one["resource"]) for one in answer.json()["parameter"] if one["name"] == "issue"]
    assert not {"consent.crash-cart", "consent.rescue-drugs"} & set(found), found


def a_cart_check(story: OneExam, cart: Tree, *, adrenaline: int) -> Tree:
    """Everything in order, but for how many days the adrenaline lasts."""
    drugs = ("glucocorticoid", "antihistamine", "bronchodilator", "atropine", "infusion")
    lasts = {"adrenaline": adrenaline, **dict.fromkeys(drugs, 300)}
    items = [
        {"linkId": link, "answer": [{"valueDate": story.cast.moment(timedelta(days=days))[:10]}]}
        for link, days in lasts.items()
    ]
    checks = ("oxygen", "airway", "suction", "defibrillator", "monitor", "supplies")
    items += [{"linkId": link, "answer": [{"valueBoolean": True}]} for link in checks]
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": f"{C}/Questionnaire/staff-and-rooms-crash-cart-check|1",
        "subject": {"reference": f"Device/{cart['id']}"},
        "author": story.cast.person("nurse"),
        "authored": story.cast.moment(),
        "item": items,
    }


@pytest.mark.clause("5.3.2.5")
async def test_what_the_gate_lets_pass_is_changed_by_one_and_approved_by_another_and_counts_from_then(
    department: Department,
) -> None:
    story = await one_exam(department)
    await story.requested()
    await story.moved("scheduled", "arrived", "ready", "in-progress")
    await story.made(a_screening(story.cast))
    await story.joined("head", "chief-physician", "ct-head")
    await story.joined("quality manager", "chief-physician", "quality-manager")
    one = await department.client_of("drafter", story.cast.staff["head"])
    other = await department.client_of("approver", story.cast.staff["quality manager"])
    asked = an_injection(story.cast) | {"extension": overridden(story, "emergency")}

    async def answered() -> tuple[int, set[str]]:
        await department.fresh()
        answer = await department.post("MedicationAdministration", asked)
        return answer.status_code, rules(answer) if answer.status_code == 422 else set()

    assert await answered() == (422, {"consent.consent-valid"}), "as shipped, an emergency alone is no consent"
    values = [{"url": "value", "valueString": reason} for reason in ("emergency", "emergency-no-capacity")]
    entry = [{"url": "id", "valueString": "gate:consent.consent-valid:reasons"}, *values]
    draft = await department.post("PlanDefinition", {
        "resourceType": "PlanDefinition", "url": f"{C}/PlanDefinition/gate-policy", "version": "2026-1",
        "status": "draft", "extension": [{"url": f"{C}/StructureDefinition/rule-limit", "extension": entry}],
    }, one)  # fmt: skip
    assert draft.status_code == 201, draft.text
    assert await answered() == (422, {"consent.consent-valid"}), "a draft changes nothing"
    active = draft.json() | {"status": "active"}
    alone = await department.put(active, one)
    assert alone.status_code == 403 and rules(alone) == {"order.rule-set-second-person"}, texts(alone)
    approved = await department.put(active, other)
    assert approved.status_code == 200, approved.text
    assert await answered() == (201, set())

    refused = await department.post("MedicationAdministration", an_injection(story.cast))
    found = await department.found(
        f"DetectedIssue?implicated={story.cast.exam}&code=consent.consent-valid&_sort=-_lastUpdated"
    )
    assert refused.status_code == 422 and "emergency" in str(found[0]["extension"]), "who may pass it, says the set"
    retired = await department.put(approved.json() | {"status": "retired"}, other)
    assert retired.status_code == 200, retired.text
    assert (await answered())[0] == 422
    await one.aclose()
    await other.aclose()
