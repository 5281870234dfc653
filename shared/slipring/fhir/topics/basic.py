"""A topic as the R4 resource Basic, by the cross-version extensions of R5's SubscriptionTopic.

Source: Subscriptions R5 Backport, topics in FHIR R4 (`Basic` with `code` SubscriptionTopic).
"""

from __future__ import annotations

from typing import Any

from slipring.fhir.service import Resource
from slipring.fhir.topics.topic import Filter, Topic, Trigger

_R5 = "http://hl7.org/fhir/5.0/StructureDefinition/extension-SubscriptionTopic"
_TYPE = "http://hl7.org/fhir/StructureDefinition"
TRANSLATION = "http://hl7.org/fhir/StructureDefinition/translation"


def as_basic(topic: Topic) -> Resource:
    """The resource that a client reads before it subscribes."""
    title = _told("title", "valueString", topic.title)
    title["_valueString"] = {"extension": [_translated(topic.zh)]}
    return {
        "resourceType": "Basic",
        "id": topic.id,
        "extension": [
            _told("url", "valueUri", topic.url),
            _told("version", "valueString", "1"),
            _told("name", "valueString", "".join(part.capitalize() for part in topic.id.split("-"))),
            title,
            _told("date", "valueDateTime", topic.date),
            _told("description", "valueMarkdown", topic.description),
            *(_trigger(trigger) for trigger in topic.triggers),
            *(_filter(one) for one in topic.filters),
            *(_shape(topic, resource) for resource in topic.resources),
        ],
        "modifierExtension": [_told("status", "valueCode", "active")],
        "code": {"coding": [{"system": "http://hl7.org/fhir/fhir-types", "code": "SubscriptionTopic"}]},
    }


def _told(name: str, member: str, value: Any) -> dict[str, Any]:
    return {"url": f"{_R5}.{name}", member: value}


def _translated(zh: str) -> dict[str, Any]:
    parts = [{"url": "lang", "valueCode": "zh-CN"}, {"url": "content", "valueString": zh}]
    return {"url": TRANSLATION, "extension": parts}


def _part(url: str, member: str, value: Any) -> dict[str, Any]:
    return {"url": url, member: value}


def _trigger(trigger: Trigger) -> dict[str, Any]:
    query: list[dict[str, Any]] = []
    if trigger.previous:
        query.append(_part("previous", "valueString", trigger.previous))
    query.append(_part("resultForCreate", "valueCode", "test-passes"))
    if trigger.current:
        query.append(_part("current", "valueString", trigger.current))
    query += [_part("resultForDelete", "valueCode", "test-passes"), _part("requireBoth", "valueBoolean", value=True)]
    return {
        "url": f"{_R5}.resourceTrigger",
        "extension": [
            _part("description", "valueMarkdown", trigger.description),
            _part("resource", "valueUri", f"{_TYPE}/{trigger.resource}"),
            *(_part("supportedInteraction", "valueCode", code) for code in trigger.interactions),
            {"url": "queryCriteria", "extension": query},
        ],
    }


def _filter(one: Filter) -> dict[str, Any]:
    return {
        "url": f"{_R5}.canFilterBy",
        "extension": [
            _part("description", "valueMarkdown", one.description),
            _part("resource", "valueUri", one.resource),
            _part("filterParameter", "valueString", one.parameter),
            *(_part("modifier", "valueCode", code) for code in one.modifiers),
        ],
    }


def _shape(topic: Topic, resource: str) -> dict[str, Any]:
    included = [include for include in topic.include if include.startswith(f"{resource}:")]
    return {
        "url": f"{_R5}.notificationShape",
        "extension": [
            _part("resource", "valueUri", f"{_TYPE}/{resource}"),
            *(_part("include", "valueString", include) for include in included),
        ],
    }
