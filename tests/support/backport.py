"""Backport subscriptions in tests: what a client posts, a topic to post it about, and an endpoint that can be told how to answer."""

from __future__ import annotations

import json
from typing import Any

import httpx
from slipring.fhir.topics import Filter, Topic, Trigger

Resource = dict[str, Any]
IG = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"
PROFILE = f"{IG}/backport-subscription"
DONE = Topic(
    "task-done",
    "A task was completed",
    "任务已完成",
    "A Task became completed, or was deleted.",
    "2026-11-26",
    (
        Trigger("Task", "completed", ("create", "update"), "status:not=completed", "status=completed"),
        Trigger("Task", "deleted", ("delete",), "", ""),
    ),
    (
        Filter("Task", "priority", "only these priorities", ("not",)),
        Filter("Task", "patient", "only tasks about these patients"),
    ),
    ("Task:patient",),
)


def topical(
    content: str = "id-only", *filters: str, topic: str = DONE.url, channel: Resource | None = None, **members: Any
) -> Resource:
    """A Backport subscription; `channel` adds to its channel."""
    asked: Resource = {
        "resourceType": "Subscription",
        "meta": {"profile": [PROFILE]},
        "status": "requested",
        "reason": "a test",
        "criteria": topic,
        "channel": {
            "type": "rest-hook",
            "endpoint": "http://his.example/topics",
            "payload": "application/fhir+json",
            "_payload": {"extension": [{"url": f"{IG}/backport-payload-content", "valueCode": content}]},
            **(channel or {}),
        },
        **members,
    }
    if filters:
        asked["_criteria"] = {
            "extension": [{"url": f"{IG}/backport-filter-criteria", "valueString": text} for text in filters]
        }
    return asked


def of_channel(name: str, value: int) -> Resource:
    """One of the channel's numbers: heartbeat-period, timeout or max-count."""
    member = "valuePositiveInt" if name == "max-count" else "valueUnsignedInt"
    return {"url": f"{IG}/backport-{name}", member: value}


class Endpoint:
    """An outside receiver: keeps every notification, and answers what `answers` says, at last 200."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return httpx.Response(self.answers.pop(0) if self.answers else 200)

    def bundles(self, kind: str = "") -> list[Resource]:
        """The notifications that came, of one kind."""
        found = [json.loads(request.content) for request in self.requests]
        return [bundle for bundle in found if not kind or told(bundle)["type"] == kind]

    def events(self) -> list[Resource]:
        """The events of all notifications, in the order they came."""
        return [event for bundle in self.bundles("event-notification") for event in told(bundle)["events"]]

    def numbers(self) -> list[int]:
        """Their numbers."""
        return [int(event["event-number"]) for event in self.events()]


def told(bundle: Resource) -> Resource:
    """What the status of a notification says, by name."""
    return status_of(bundle["entry"][0]["resource"])


def status_of(parameters: Resource) -> Resource:
    """The parameters of a status by name; its events as a list under `events`."""
    found: Resource = {"events": []}
    for parameter in parameters["parameter"]:
        if parameter["name"] == "notification-event":
            event: Resource = {"context": []}
            for part in parameter["part"]:
                if part["name"] == "additional-context":
                    event["context"].append(_value(part))
                else:
                    event[part["name"]] = _value(part)
            found["events"].append(event)
        else:
            found[parameter["name"]] = _value(parameter)
    return found


def _value(part: Resource) -> Any:
    value = next(value for name, value in part.items() if name.startswith("value"))
    return value["reference"] if isinstance(value, dict) and "reference" in value else value
