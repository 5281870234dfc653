"""Facts out as FHIR: the case Task with its record of events, one Communication per attempt, the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from slipring.fhir.service import Resource

from slipring_critical.facts import (
    ATTEMPT_ID,
    CASE_EVENT,
    CASE_KEY,
    CASE_STATE,
    CHANNEL,
    CONTACT_ROUTE,
    LADDER_SNAPSHOT,
    TASK_CODE,
    TASK_OUTPUT,
    Event,
    FlaggedFinding,
    attempt_id,
    attempt_route,
    case_facts,
    code_of,
    reference_of,
)
from slipring_critical.ladder import Ladder
from slipring_critical.lifecycle import TASK_STATUS
from slipring_critical.media import media
from slipring_critical.routes import Route

# In the same instant a step comes before what it sent, and that before the answer.
_RANK = {"sent": 1, "stopped": 1, "read-back-confirmed": 2, "received": 2, "acted": 2, "closed": 2}
_PRIORITY = {"1": "stat", "2": "urgent", "3": "routine"}


def instant(at: datetime) -> str:
    """An instant as FHIR writes it."""
    return at.isoformat(timespec="milliseconds")


def as_case(
    case_id: str, flag: FlaggedFinding, observation: Resource, handover: str, policy: Ladder, *, now: datetime
) -> Resource:
    """A new case, before its first step."""
    case: Resource = {
        "resourceType": "Task",
        "id": case_id,
        "extension": [{"url": LADDER_SNAPSHOT, "valueString": policy.snapshot()}],
        "identifier": [{"system": CASE_KEY, "value": flag.case_key}],
        "basedOn": [{"reference": handover}],
        "status": TASK_STATUS["detected"],
        "businessStatus": _coded(CASE_STATE, "detected"),
        "intent": "order",
        "priority": _PRIORITY.get(policy.level, "stat"),
        "code": _coded(TASK_CODE, "critical-case"),
        "focus": {"reference": flag.observation},
        "for": {"reference": flag.patient} if flag.patient else None,
        "authoredOn": instant(now),
        "requester": {"reference": flag.author} if flag.author else None,
        "owner": {"reference": flag.author} if flag.author else None,
        "reasonCode": observation.get("code"),
        "reasonReference": {"reference": flag.request} if flag.request else None,
    }
    return with_event({name: value for name, value in case.items() if value}, Event("opened", now, flag.author))


def in_state(case: Resource, state: str) -> Resource:
    """The case in another state; `Task.status` follows the state."""
    return {**case, "status": TASK_STATUS[state], "businessStatus": _coded(CASE_STATE, state)}


def with_event(case: Resource, event: Event) -> Resource:
    """The case with one more event on record."""
    parts: list[dict[str, Any]] = [
        {"url": "what", "valueCode": event.what},
        {"url": "at", "valueInstant": instant(event.at)},
    ]
    if event.who:
        is_reference = "/" in event.who
        parts.append(
            {"url": "who"}
            | ({"valueReference": {"reference": event.who}} if is_reference else {"valueString": event.who})
        )
    if event.round:
        parts += [{"url": "round", "valuePositiveInt": event.round}, {"url": "step", "valuePositiveInt": event.step}]
    if event.outcome:
        parts.append({"url": "outcome", "valueCode": event.outcome})
    # A clock set back shows in the event; the Task itself was never changed before it was written (R4, inv-1).
    changed_at = max(event.at, datetime.fromisoformat(case["authoredOn"]))
    return {
        **case,
        "lastModified": instant(changed_at),
        "extension": [*case["extension"], {"url": CASE_EVENT, "extension": parts}],
    }


def with_act(case: Resource, action: dict[str, Any], note: Any, who: str, *, now: datetime) -> Resource:
    """The case with what was done for the patient as its output, and the note of whoever says so."""
    output = {"type": _coded(TASK_OUTPUT, "action"), "valueCodeableConcept": action}
    changed = {**case, "output": [*case.get("output", []), output]}
    if note:
        annotation = {"time": instant(now), "text": str(note)} | (
            {"authorReference": {"reference": who}} if who else {}
        )
        changed["note"] = [*case.get("note", []), annotation]
    return changed


def as_attempt(attempt: str, case: Resource, route: Route) -> Resource:
    """One attempt to reach one route: a Communication in preparation, without a word about the patient's illness."""
    recipient = {"reference": route.recipient} if route.recipient else {"display": route.target}
    communication: Resource = {
        "resourceType": "Communication",
        "id": attempt,
        "partOf": [{"reference": f"Task/{case['id']}"}],
        "status": "preparation",
        "priority": case["priority"],
        "medium": [_coded(CHANNEL, route.channel)],
        "about": [{"reference": f"Task/{case['id']}"}],
        "recipient": [recipient],
        "subject": case.get("for"),
    }
    if route.endpoint:
        communication["extension"] = [{"url": CONTACT_ROUTE, "valueReference": {"reference": route.endpoint}}]
    return {name: value for name, value in communication.items() if value}


def as_retraction(told: Resource, *, id: str) -> Resource:
    """The attempt that takes back what an earlier one told, by the same route to the same receiver."""
    kept = ("resourceType", "partOf", "priority", "medium", "about", "recipient", "subject")
    route = [each for each in told.get("extension", []) if each["url"] == CONTACT_ROUTE]
    notice: Resource = {name: told[name] for name in kept if name in told}
    notice |= {"id": id, "status": "preparation", "reasonCode": [_coded(CASE_STATE, "retracted")]}
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


def with_attempt_id(communication: Resource, attempt: str) -> list[dict[str, Any]]:
    """The extensions of an attempt, with the id that stood in its Idempotency-Key."""
    kept = [e for e in communication.get("extension", []) if e["url"] != ATTEMPT_ID]
    return [*kept, {"url": ATTEMPT_ID, "valueString": attempt}]


def as_reason(code: str) -> dict[str, Any]:
    """Why an attempt was stopped, as a Communication.statusReason."""
    return {"text": code}


def as_timeline(case: Resource, attempts: Sequence[Resource]) -> Resource:
    """Everything that happened to a case, in order: events of the case and of each attempt."""
    rows: list[tuple[str, list[dict[str, Any]]]] = []
    for event in case_facts(case).events:
        rows.append((instant(event.at), _event_parts(event)))
    for attempt in attempts:
        for what, member in (("sent", "sent"), ("received", "received")):
            if member in attempt:
                rows.append((attempt[member], _attempt_parts(what, attempt[member], attempt)))
        if attempt["status"] == "stopped":
            at = attempt.get("meta", {}).get("lastUpdated", case["lastModified"])
            rows.append((at, _attempt_parts("stopped", at, attempt)))
    rows.sort(key=lambda row: (datetime.fromisoformat(row[0]), _RANK.get(row[1][0]["valueCode"], 0)))
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "state", "valueCode": code_of(case["businessStatus"], CASE_STATE)},
            *({"name": "event", "part": parts} for _, parts in rows),
        ],
    }


def _event_parts(event: Event) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [
        {"name": "what", "valueCode": event.what},
        {"name": "when", "valueInstant": instant(event.at)},
    ]
    if event.who:
        parts.append({"name": "who", "valueString": event.who})
    if event.round:
        parts += [{"name": "round", "valueInteger": event.round}, {"name": "step", "valueInteger": event.step}]
    if event.outcome:
        parts.append({"name": "outcome", "valueCode": event.outcome})
    return parts


def _attempt_parts(what: str, at: str, attempt: Resource) -> list[dict[str, Any]]:
    recipient: dict[str, Any] = next(iter(attempt.get("recipient", [])), {})
    who = reference_of(recipient) or recipient.get("display", "")
    parts: list[dict[str, Any]] = [{"name": "what", "valueCode": what}, {"name": "when", "valueInstant": at}]
    if who:
        parts.append({"name": "who", "valueString": who})
    parts.append({"name": "communication", "valueReference": {"reference": f"Communication/{attempt['id']}"}})
    parts.append({"name": "medium", "valueCode": code_of(attempt["medium"][0], CHANNEL)})
    if attempt_route(attempt):
        parts.append({"name": "route", "valueReference": {"reference": attempt_route(attempt)}})
    if attempt_id(attempt):
        parts.append({"name": "attempt", "valueString": attempt_id(attempt)})
    if what == "stopped" and "statusReason" in attempt:
        parts.append({"name": "outcome", "valueString": attempt["statusReason"]["text"]})
    return parts


def _coded(system: str, code: str) -> dict[str, Any]:
    coding = {"system": system, "code": code}
    medium = media().get(code) if system == CHANNEL else None
    if medium:
        coding["display"] = medium.zh
    return {"coding": [coding]}
