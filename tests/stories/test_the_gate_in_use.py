"""The gate as people meet it: order silent for a minute, two nurses at once, a dry run, a crash cart out of date.

CNAS-CL02-A011 5.4.1 (consent before contrast), 5.3.2.5 (who may override), 5.2.5 (rescue drugs in date).
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL as C
from slipring_demo.contrast import an_injection
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
