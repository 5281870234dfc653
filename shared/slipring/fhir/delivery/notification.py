"""What a subscriber is sent: the body and headers of one notification, made from numbered events.

Plain R4 rest-hook: the resource alone, or nothing. Backport subscription: a history Bundle whose first entry is the
status as Parameters (Subscriptions R5 Backport 1.1.0 for R4, backport-subscription-notification-r4).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from slipring.fhir.intent import written_instant
from slipring.fhir.interactions.respond import FHIR_JSON, bundle, entry
from slipring.fhir.kernel import Kernel

Kind = Literal["handshake", "heartbeat", "event-notification", "query-event", "query-status"]
IG = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
_NAMESPACE = uuid.UUID("5d0ab2f2-3c1e-5b0e-9c59-0a8a5e6f6d10")  # ours, for ids that a repeat must have again
_STATUS = {"POST": "201", "PUT": "200", "DELETE": "204"}
Fields = Any  # a row of `subscription` or `delivery`, the latter with the version's `body`


@dataclass(frozen=True, slots=True)
class Notification:
    """One HTTP message to an endpoint, but for what the sending itself adds."""

    content: bytes
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """One event as its subscriber may know it: `shown` False = that there was one, and nothing of what it was."""

    event: Fields
    shown: bool = True
    context: Sequence[Beside] = ()


@dataclass(frozen=True, slots=True)
class Beside:
    """A resource that a topic adds to the one it is about: a current version."""

    reference: str
    version: int
    updated_at: datetime
    text: str = field(repr=False)


def plain(lane: Fields, event: Fields) -> Notification:
    """The rest-hook of R4: one event; a deletion and a subscription without payload have no body."""
    headers = {
        "Slipring-Event": f"{event['type']}/{event['resource_id']}/_history/{event['version']}",
        "Slipring-Event-Number": str(event["number"]),
    }
    if not lane["payload"] or event["method"] == "DELETE" or not event["body"]:
        return Notification(b"", headers)
    return Notification(event["body"].encode(), {**headers, "Content-Type": FHIR_JSON})


def backport(base: str, lane: Fields, kind: Kind, told: Sequence[Told], at: datetime) -> Notification:
    """A Backport notification to the endpoint; each repeat of the same events has the same text but for its time."""
    numbers = {"Slipring-Event-Number": str(told[0].event["number"])} if told else {}
    text = history(base, lane, kind, told, at, content=lane["content"])
    return Notification(text.encode(), {**numbers, "Content-Type": FHIR_JSON})


def history(
    base: str, lane: Fields, kind: Kind, told: Sequence[Told], at: datetime, *, content: str, total: int | None = None
) -> str:
    """The notification Bundle: the status, then as much of the events as `content` lets through."""
    number = told[-1].event["number"] if told and kind == "event-notification" else lane["last_number"]
    seed = f"{lane['id']} {kind} {told[0].event['attempt_id'] if told else at.isoformat()}"
    name = str(uuid.uuid5(_NAMESPACE, seed))
    status = status_of(base, lane, kind, number=number, content=content)
    status["parameter"] += [_event(base, one, content) for one in told]
    address = f"{base}/Subscription/{lane['id']}/$status"
    first = entry(
        f"urn:uuid:{name}",
        json.dumps({"resourceType": "Parameters", "id": name, **status}, ensure_ascii=False),
        request={"method": "GET", "url": address},
        response={"status": "200"},
    )
    entries = [first]
    if content != "empty":
        # What several events have for context stands once.
        entries += dict.fromkeys(text for one in told if one.shown for text in _entries(base, one, content))
    profile = json.dumps({"profile": [f"{IG}/backport-subscription-notification-r4"]})
    # The members of Bundle that `bundle` does not know stand before its own.
    made = bundle("history", entries)
    return f'{{"resourceType":"Bundle","meta":{profile},"timestamp":"{written_instant(at)}",' + made.partition(",")[2]


def status_of(base: str, lane: Fields, kind: Kind, *, number: int, content: str) -> dict[str, Any]:
    """The members of a status Parameters (backport-subscription-status-r4) without its events."""
    parts: list[dict[str, Any]] = [
        {"name": "subscription", "valueReference": {"reference": f"{base}/Subscription/{lane['id']}"}}
    ]
    if lane["topic"] and content != "empty":
        parts.append({"name": "topic", "valueCanonical": lane["topic"]})
    # What goes out shows the status that the lane has when it arrives, whatever stood before.
    sent = {"handshake": "requested", "heartbeat": "active", "event-notification": "active"}
    state = sent.get(kind, lane["status"])
    parts += [
        {"name": "status", "valueCode": state},
        {"name": "type", "valueCode": kind},
        {"name": "events-since-subscription-start", "valueString": str(number)},
    ]
    if lane["error"] and kind in ("query-status", "query-event"):
        parts.append({"name": "error", "valueCodeableConcept": {"text": lane["error"]}})
    return {"meta": {"profile": [f"{IG}/backport-subscription-status-r4"]}, "parameter": parts}


def _event(base: str, told: Told, content: str) -> dict[str, Any]:
    event = told.event
    parts: list[dict[str, Any]] = [
        {"name": "event-number", "valueString": str(event["number"])},
        {"name": "timestamp", "valueInstant": written_instant(event["event_at"])},
    ]
    if content != "empty" and told.shown:
        focus = f"{base}/{event['type']}/{event['resource_id']}"
        parts.append({"name": "focus", "valueReference": {"reference": focus}})
        parts += [
            {"name": "additional-context", "valueReference": {"reference": f"{base}/{one.reference}"}}
            for one in told.context
        ]
    return {"name": "notification-event", "part": parts}


def _entries(base: str, told: Told, content: str) -> list[str]:
    """The event's own entry, then those of its context; with id-only none has its resource."""
    whole = content == "full-resource"
    event, method = told.event, told.event["method"]
    reference = f"{event['type']}/{event['resource_id']}"
    written = [
        entry(
            f"{base}/{reference}",
            event["body"] if whole and method != "DELETE" else None,
            request={"method": method, "url": event["type"] if method == "POST" else reference},
            response=_response(_STATUS[method], event["version"], event["event_at"]),
        )
    ]
    for one in told.context:
        written.append(
            entry(
                f"{base}/{one.reference}",
                one.text if whole else None,
                request={"method": "GET", "url": one.reference},
                response=_response("200", one.version, one.updated_at),
            )
        )
    return written


def _response(status: str, version: int, at: datetime) -> dict[str, str]:
    return {"status": status, "etag": f'W/"{version}"', "lastModified": written_instant(at)}


def followed(kernel: Kernel, lane: Fields, events: Sequence[Fields], pulse: tuple[int, datetime] | None) -> str:
    """What a following service is sent: events, or the pulse that dates its copies."""
    number, at = pulse or (events[-1]["number"], None)
    status: dict[str, Any] = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "subscription", "valueReference": {"reference": f"Subscription/{lane['id'].replace(':', '.')}"}},
            {"name": "status", "valueCode": "active"},
            {"name": "type", "valueCode": "event-notification" if events else "heartbeat"},
            {"name": "events-since-subscription-start", "valueString": str(number)},
        ],
    }
    if at is not None:
        status["parameter"].append({"name": "complete-as-of", "valueInstant": at.isoformat()})
    entries = [entry(None, json.dumps(status))]
    for event in events:
        reference = f"{event['type']}/{event['resource_id']}"
        deleted = event["method"] == "DELETE"
        entries.append(
            entry(
                f"{kernel.base}/{reference}",
                None if deleted else event["body"],
                request={"method": event["method"], "url": reference},
                response={"status": "204" if deleted else "200", "etag": f'W/"{event["version"]}"'},
            )
        )
    return bundle("history", entries)
