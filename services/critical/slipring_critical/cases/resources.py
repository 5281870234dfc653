"""Facts out as FHIR: the case Task with its record of events, one Communication per attempt, the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from slipring.fhir.service import Resource
from slipring.signing.case_chain import link, start, texts

from slipring_critical.cases.facts import (
    CASE_EVENT,
    CASE_KEY,
    CASE_STATE,
    CHANNEL,
    LADDER_SNAPSHOT,
    TASK_CODE,
    TASK_OUTPUT,
    Event,
    attempt_id,
    attempt_route,
    case_facts,
    code_of,
    reference_of,
)
from slipring_critical.cases.flag import FlaggedFinding
from slipring_critical.cases.marks import drill_meta
from slipring_critical.channels.media import media
from slipring_critical.ladders.ladder import Ladder
from slipring_critical.lifecycle import TASK_STATUS

# In the same instant a step comes before what it sent, and that before the answer.
_RANK = {"reply-said": 3, "sent": 1, "stopped": 1, "read-back-confirmed": 2, "received": 2, "acted": 2, "closed": 2}
_RECEIPT = (("sent", "sent"), ("received", "received"))  # of an attempt, what is told by which member
_TALK = (("reply-said", "sent"), ("reply-heard", "received"))  # of a message in a conversation with a receiver
_PRIORITY = {"1": "stat", "2": "urgent", "3": "routine"}


def instant(at: datetime) -> str:
    """An instant as FHIR writes it."""
    return at.isoformat(timespec="milliseconds")


def as_case(
    case_id: str, flag: FlaggedFinding, code: Resource | None, basis: str, policy: Ladder, *, now: datetime
) -> Resource:
    """A new case, before its first step; `code` names the finding, `basis` is what it was opened by."""
    case: Resource = {
        "resourceType": "Task",
        "id": case_id,
        **drill_meta(flag.drill),
        "extension": [{"url": LADDER_SNAPSHOT, "valueString": policy.snapshot()}],
        "identifier": [{"system": CASE_KEY, "value": flag.case_key}],
        "basedOn": [{"reference": basis}] if basis else None,
        "status": TASK_STATUS["detected"],
        "businessStatus": coded(CASE_STATE, "detected"),
        "intent": "order",
        "priority": _PRIORITY.get(policy.level, "stat"),
        "code": coded(TASK_CODE, "critical-case"),
        "focus": {"reference": flag.observation},
        "for": {"reference": flag.patient} if flag.patient else None,
        "authoredOn": instant(now),
        "requester": {"reference": flag.author} if flag.author else None,
        "owner": {"reference": flag.author} if flag.author else None,
        "reasonCode": code,
        "reasonReference": {"reference": flag.request} if flag.request else None,
    }
    opened = {name: value for name, value in case.items() if value}
    if flag.recognised_at and flag.recognised_at < now:
        opened = with_event(opened, Event("recognised", flag.recognised_at, flag.author))
    return with_event(opened, Event("opened", now, flag.author))


def with_policy(case: Resource, policy: Ladder) -> Resource:
    """The case under another ladder, and as urgent as that is."""
    others = [one for one in case["extension"] if one["url"] != LADDER_SNAPSHOT]
    snapshot = {"url": LADDER_SNAPSHOT, "valueString": policy.snapshot()}
    return {**case, "priority": _PRIORITY.get(policy.level, "stat"), "extension": [snapshot, *others]}


def in_state(case: Resource, state: str) -> Resource:
    """The case in another state; `Task.status` follows the state."""
    return {**case, "status": TASK_STATUS[state], "businessStatus": coded(CASE_STATE, state)}


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
    parts += _chained(case, parts)
    # A clock set back shows in the event; the Task itself was never changed before it was written (R4, inv-1).
    changed_at = max(event.at, datetime.fromisoformat(case["authoredOn"]))
    return {
        **case,
        "lastModified": instant(changed_at),
        "extension": [*case["extension"], {"url": CASE_EVENT, "extension": parts}],
    }


def _chained(case: Resource, parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The digests by which an event follows the one before it (`slipring.signing.case_chain`)."""
    events = [e for e in case["extension"] if e["url"] == CASE_EVENT]
    last = {part["url"]: part for part in events[-1]["extension"]} if events else {}
    previous = last["digest"]["valueString"] if "digest" in last else start(f"Task/{case['id']}")
    digest = link(previous, texts(parts))
    return [{"url": "prev", "valueString": previous}, {"url": "digest", "valueString": digest}]


def with_act(case: Resource, action: dict[str, Any], note: Any, who: str, *, now: datetime) -> Resource:
    """The case with what was done for the patient as its output, and the note of whoever says so."""
    output = {"type": coded(TASK_OUTPUT, "action"), "valueCodeableConcept": action}
    return with_note({**case, "output": [*case.get("output", []), output]}, note, who, now=now)


def with_note(case: Resource, note: Any, who: str, *, now: datetime) -> Resource:
    """The case with a note of somebody; as it was when there is none."""
    if not note:
        return case
    annotation = {"time": instant(now), "text": str(note)} | ({"authorReference": {"reference": who}} if who else {})
    return {**case, "note": [*case.get("note", []), annotation]}


def as_timeline(case: Resource, attempts: Sequence[Resource]) -> Resource:
    """Everything that happened to a case, in order: events of the case and of each attempt, and what was said in replies."""
    rows: list[tuple[str, list[dict[str, Any]]]] = []
    for event in case_facts(case).events:
        rows.append((instant(event.at), _event_parts(event)))
    for attempt in attempts:
        for what, member in _RECEIPT if attempt.get("partOf") else _TALK:
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
    recipient: dict[str, Any] = next(iter(attempt.get("recipient", [])), attempt.get("sender", {}))
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


def coded(system: str, code: str) -> dict[str, Any]:
    """A CodeableConcept of one code; a channel with its Chinese name."""
    coding = {"system": system, "code": code}
    medium = media().get(code) if system == CHANNEL else None
    if medium:
        coding["display"] = medium.zh
    return {"coding": [coding]}
