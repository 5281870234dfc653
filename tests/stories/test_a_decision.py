"""Where the rules stop or ask, one named physician decides, and the whole decision is on record.

CNAS-CL02-A011 5.4.1 (justification) and 5.4.4.1 (green channel: passed at once, completed afterwards).
"""

from __future__ import annotations

from typing import Any

from slipring_demo.teller import parameters

from tests.support.department import Department
from tests.support.one_exam import OneExam, one_exam, rules, texts


def a_decision(story: OneExam, who: str = "", reason: str = "confirmed-by-phone") -> dict[str, Any]:
    return parameters(
        decision=("Code", "justified"),
        reason=("CodeableConcept", {"coding": [{"code": reason}]}),
        performer=("Reference", story.cast.person(who) if who else None),
    )


async def a_request_of_somebody_unauthorised(department: Department) -> OneExam:
    story = await one_exam(department)
    await story.requested(requester=story.cast.person("technologist"))
    return story


async def test_who_may_not_order_a_ct_is_rejected_and_a_named_physician_reverses_it(department: Department) -> None:
    story = await a_request_of_somebody_unauthorised(department)
    task = await story.task()
    assert await story.state() == "rejected"
    found = await department.found(f"DetectedIssue?implicated={story.cast.exam}")
    assert "order.requester-authorised" in {issue["code"]["coding"][0]["code"] for issue in found}

    decide = f"Task/{task['id']}/$decide"
    unnamed = await department.post(decide, a_decision(story))
    assert unnamed.status_code == 422, unnamed.text
    for who in ("technologist", "nurse", "requester"):
        refused = await department.post(decide, a_decision(story, who))
        assert refused.status_code == 403, f"{who}: {refused.text}"
    assert await story.state() == "rejected"

    decided = await department.post(decide, a_decision(story, "first reader"))
    assert decided.status_code == 200, decided.text
    assert await story.state() == "justified"
    [record] = await department.found(f"Provenance?target=Task/{task['id']}")
    assert record["agent"][0]["who"]["reference"] == story.cast.staff["first reader"]
    found = await department.found(f"DetectedIssue?implicated={story.cast.exam}")
    assert all(issue.get("mitigation") for issue in found), "what was passed says by whom"
    await story.moved("scheduled", "arrived")


async def test_an_incomplete_request_cannot_be_decided_away(department: Department) -> None:
    story = await one_exam(department)
    await story.requested(complete=False, reasonCode=[{"text": "CT"}])
    assert await story.state() == "awaiting-information"
    task = await story.task()
    refused = await department.post(f"Task/{task['id']}/$decide", a_decision(story, "first reader"))
    assert refused.status_code == 422, refused.text
    assert "order.clinical-question" in rules(refused), texts(refused)


async def test_in_an_emergency_one_call_passes_everything_and_leaves_a_follow_up(department: Department) -> None:
    story = await one_exam(department)
    await story.requested(complete=False, priority="stat", reasonCode=[{"text": "CT"}])
    task = await story.task()
    assert await story.state() == "awaiting-information"
    answer = await department.post(f"Task/{task['id']}/$decide", a_decision(story, "first reader", "emergency"))
    assert answer.status_code == 200, answer.text
    assert await story.state() == "justified"
    [later] = await department.found(f"Task?code=follow-up&based-on={story.cast.exam}")
    assert later["status"] == "requested"
    assert "laboratory" in str(later), "what was passed is asked for after the exam"
