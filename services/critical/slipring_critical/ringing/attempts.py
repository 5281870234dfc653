"""One attempt to reach somebody, as a Communication."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from slipring.fhir.service import Resource, Save, Stored, successor

from slipring_critical.cases.facts import ATTEMPT_ID, CASE_STATE, CHANNEL, CONTACT_ROUTE, TASK_CODE, code_of
from slipring_critical.cases.marks import drill_meta, is_drill
from slipring_critical.cases.resources import coded, instant
from slipring_critical.directory.routes import Route


def as_attempt(attempt: str, case: Resource, route: Route) -> Resource:
    """One attempt to reach one route: a Communication in preparation, without a word about the patient's illness."""
    recipient = {"reference": route.recipient} if route.recipient else {"display": route.target}
    communication: Resource = {
        "resourceType": "Communication",
        "id": attempt,
        **drill_meta(is_drill(case)),
        "partOf": [{"reference": f"Task/{case['id']}"}],
        "status": "preparation",
        "priority": case["priority"],
        "medium": [coded(CHANNEL, route.channel)],
        "about": [{"reference": f"Task/{case['id']}"}],
        "recipient": [recipient],
        "subject": case.get("for"),
    }
    if route.endpoint:
        communication["extension"] = [{"url": CONTACT_ROUTE, "valueReference": {"reference": route.endpoint}}]
    return {name: value for name, value in communication.items() if value}


def as_retraction(told: Resource, *, id: str) -> Resource:
    """The attempt that takes back what an earlier one told, by the same route to the same receiver."""
    return _after(told, "retracted", id)


def as_settled(told: Resource, *, id: str) -> Resource:
    """The attempt that tells a device which an earlier one rang on that somebody has answered."""
    return _after(told, "acknowledged", id)


def _after(told: Resource, state: str, id: str) -> Resource:
    kept = ("resourceType", "partOf", "priority", "medium", "about", "recipient", "subject")
    route = [each for each in told.get("extension", []) if each["url"] == CONTACT_ROUTE]
    notice: Resource = {name: told[name] for name in kept if name in told}
    notice |= {
        **drill_meta(is_drill(told)),
        "id": id,
        "status": "preparation",
        "reasonCode": [coded(CASE_STATE, state)],
    }
    return {**notice, "extension": route} if route else notice


def as_answer(answer: str, case: Resource, receiver: str, medium: str, sender: str, *, now: datetime) -> Resource:
    """A receipt that no attempt of ours stands for: a call or a talk, written down."""
    communication = {
        **as_attempt(answer, case, Route(target=receiver, channel=medium, recipient=receiver)),
        "status": "completed",
        "sent": instant(now),
        "received": instant(now),
    }
    if sender and sender != receiver:
        communication["sender"] = {"reference": sender}
    return communication


def as_sent(attempt: Stored, *, attempt_id: str, at: datetime) -> Save:
    """An attempt that its provider has taken."""
    told = with_attempt_id(attempt.resource, attempt_id)
    return successor(attempt, status="completed", statusReason=None, sent=instant(at), extension=told)


def with_attempt_id(communication: Resource, attempt: str) -> list[dict[str, Any]]:
    """The extensions of an attempt, with the id that stood in its Idempotency-Key."""
    kept = [e for e in communication.get("extension", []) if e["url"] != ATTEMPT_ID]
    return [*kept, {"url": ATTEMPT_ID, "valueString": attempt}]


def as_reason(code: str) -> dict[str, Any]:
    """Why an attempt was stopped, as a Communication.statusReason."""
    return {"text": code}


def is_retraction(attempt: Resource) -> bool:
    """Whether an attempt tells of a retraction and not of a finding."""
    return any(code_of(reason, CASE_STATE) == "retracted" for reason in attempt.get("reasonCode", []))


def is_settled(attempt: Resource) -> bool:
    """Whether an attempt tells that somebody has answered."""
    return any(code_of(reason, CASE_STATE) == "acknowledged" for reason in attempt.get("reasonCode", []))


def as_offer(attempt: str, case: Resource, route: Route) -> Resource:
    """The attempt that tells somebody that a case is to be handed over to him."""
    return {**as_attempt(attempt, case, route), "reasonCode": [coded(TASK_CODE, "hand-over")]}


def is_offer(attempt: Resource) -> bool:
    """Whether an attempt tells of a case that is to be handed over."""
    return any(code_of(reason, TASK_CODE) == "hand-over" for reason in attempt.get("reasonCode", []))


def tells_a_finding(attempt: Resource) -> bool:
    """Whether an attempt rings for a finding: it takes none back, offers no case and tells of no answer."""
    return not (is_retraction(attempt) or is_offer(attempt) or is_settled(attempt))


def is_failing(attempt: Resource) -> bool:
    """Whether an attempt was tried without success and is to be tried again."""
    return attempt["status"] == "preparation" and "statusReason" in attempt
