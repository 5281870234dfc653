"""A SubscriptionTopic as data: what change fires it, what it may be narrowed by, what is told beside its focus.

The words are those of R5's SubscriptionTopic. A trigger may be written once `for` many codes: `{code}` in it stands for
each of them, and the topic has as many triggers. `{C}` is our canonical base.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipring.fhir.service import CANONICAL

INTERACTIONS = ("create", "update", "delete")


@dataclass(frozen=True, slots=True)
class Trigger:
    """A change of one resource: the version before it meets `previous` and the one after it `current` (R5 queryCriteria).

    Where there is no version before (create) the first test counts as passed, after a deletion the second one; so a
    write that leaves the state as it was fires nothing.
    """

    resource: str
    description: str
    interactions: tuple[str, ...]
    previous: str  # search on the version before, '' = any
    current: str  # search on the version after, '' = any


@dataclass(frozen=True, slots=True)
class Filter:
    """A search parameter that a subscriber may narrow the topic by, and the modifiers it takes."""

    resource: str
    parameter: str
    description: str
    modifiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic; `include` are `Type:parameter` as in `_include`, told beside the resource that changed."""

    id: str
    title: str
    zh: str
    description: str
    date: str
    triggers: tuple[Trigger, ...]
    filters: tuple[Filter, ...]
    include: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """Its canonical address, which a Subscription names in `criteria`."""
        return f"{CANONICAL}/SubscriptionTopic/{self.id}"

    @property
    def resources(self) -> tuple[str, ...]:
        """The types it is about."""
        return tuple(dict.fromkeys(trigger.resource for trigger in self.triggers))


def read_topics(path: Path) -> tuple[Topic, ...]:
    """The topics of a TOML file."""
    tree = tomllib.loads(path.read_text("utf-8").replace("{C}", CANONICAL))
    return tuple(_topic(item, str(tree["date"])) for item in tree["topic"])


def _topic(item: Mapping[str, Any], date: str) -> Topic:
    return Topic(
        id=item["id"],
        title=item["title"],
        zh=item["zh"],
        description=item["description"],
        date=date,
        triggers=tuple(trigger for written in item["trigger"] for trigger in _triggers(written)),
        filters=tuple(_filters(item["filter"])),
        include=tuple(item.get("include", ())),
    )


def _triggers(written: Mapping[str, Any]) -> Iterator[Trigger]:
    for code in written.get("for", [""]):
        yield Trigger(
            resource=written["resource"],
            description=written["description"].replace("{code}", code),
            interactions=tuple(written.get("interactions", INTERACTIONS[:2])),
            previous=written.get("previous", "").replace("{code}", code),
            current=written.get("current", "").replace("{code}", code),
        )


def _filters(written: Iterable[Mapping[str, Any]]) -> Iterator[Filter]:
    for item in written:
        yield Filter(item["resource"], item["parameter"], item["description"], tuple(item.get("modifiers", ())))
