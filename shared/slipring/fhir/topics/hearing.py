"""What a subscriber hears: whether one change of one resource is an event to it. Pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal
from functools import cached_property
from typing import Any, Protocol
from urllib.parse import parse_qsl

from slipring.fhir.search.criteria import Criteria, parse
from slipring.fhir.search.index import Rows, rows
from slipring.fhir.search.match import matches
from slipring.fhir.topics.topic import Topic, Trigger

_INTERACTION = {"POST": "create", "PUT": "update", "DELETE": "delete"}
_DECODER = json.JSONDecoder(parse_float=Decimal)


@dataclass(frozen=True)
class Version:
    """One version of a resource with its search rows, made when they are asked for."""

    text: str
    zone: tzinfo
    audience: tuple[str, ...] | None = None  # for whom it is before everybody may see it; None = for everybody

    @cached_property
    def tree(self) -> dict[str, Any]:
        """The resource, decimals exact."""
        tree: dict[str, Any] = _DECODER.decode(self.text)
        return tree

    @cached_property
    def rows(self) -> Rows:
        """What a search looks at."""
        return rows(self.tree, self.zone)

    def meets(self, criteria: Criteria) -> bool:
        """Whether a search would find this version."""
        return matches(criteria, self.rows, self.tree)


@dataclass(frozen=True, slots=True)
class Change:
    """One write: the versions before and after it; a resource that was deleted before begins anew."""

    method: str  # POST, PUT, DELETE
    before: Version | None
    after: Version | None  # None = deleted

    @property
    def subject(self) -> Version | None:
        """The version that says what the event is about: after a deletion the last one that stood."""
        return self.after or self.before


class Hearer(Protocol):
    """Somebody who waits for changes of one type."""

    @property
    def type(self) -> str:
        """The type it is about."""

    def hears(self, change: Change) -> bool:
        """Whether this change is an event to him."""


@dataclass(frozen=True, slots=True)
class OfCriteria:
    """The plain rest-hook of R4: a resource that meets the criteria was written, or one that met them deleted."""

    criteria: Criteria

    @property
    def type(self) -> str:
        """The type it is about."""
        return self.criteria.type

    def hears(self, change: Change) -> bool:
        """Whether the resource meets the criteria."""
        return change.subject is not None and change.subject.meets(self.criteria)


@dataclass(frozen=True, slots=True)
class OfCopies:
    """A service that holds copies: it must also hear of what leaves its criteria, and of every deletion."""

    criteria: Criteria

    @property
    def type(self) -> str:
        """The type it is about."""
        return self.criteria.type

    def hears(self, change: Change) -> bool:
        """Whether it may hold a copy, or should now."""
        if change.after is None or change.after.meets(self.criteria):
            return True
        return change.before is not None and change.before.meets(self.criteria)


@dataclass(frozen=True, slots=True)
class OfTopic:
    """One trigger of a topic, narrowed by the subscriber's filters on its type: all of them must hold."""

    trigger: Trigger
    previous: Criteria
    current: Criteria
    filters: tuple[Criteria, ...]

    @property
    def type(self) -> str:
        """The type it is about."""
        return self.trigger.resource

    def hears(self, change: Change) -> bool:
        """Whether the change fires the trigger and passes the filters."""
        if _INTERACTION[change.method] not in self.trigger.interactions or change.subject is None:
            return False
        subject = change.subject
        if not all(subject.meets(one) for one in self.filters):
            return False
        before = change.before is None or change.before.meets(self.previous)
        return before and (change.after is None or change.after.meets(self.current))


def read(text: str, zone: tzinfo) -> Criteria:
    """Criteria written as `Type?search`."""
    resource_type, _, query = text.partition("?")
    return parse(resource_type, parse_qsl(query, keep_blank_values=True), zone=zone)


def of_topic(topic: Topic, filters: Sequence[str], zone: tzinfo) -> tuple[OfTopic, ...]:
    """The triggers of a topic as one subscriber hears them."""
    narrowed = [read(text, zone) for text in filters]
    return tuple(
        OfTopic(
            trigger,
            read(f"{trigger.resource}?{trigger.previous}", zone),
            read(f"{trigger.resource}?{trigger.current}", zone),
            tuple(one for one in narrowed if one.type == trigger.resource),
        )
        for trigger in topic.triggers
    )
