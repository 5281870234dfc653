"""What a topic subscription asks for in vain is refused at its element, and the refusal says what is offered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from slipring.fhir.service import Keeps, Service

from tests.fhir.place import Place, Resource, opened, where
from tests.support.backport import DONE, of_channel, topical

SERVICE = Service("order", "o", "x", keeps=[Keeps("Task"), Keeps("Patient")], topics=[DONE])


@pytest.mark.parametrize(
    ("at", "asked"),
    [
        ("Subscription.criteria", topical(topic="https://elsewhere.example/SubscriptionTopic/none")),
        ("Subscription.criteria", topical(topic=f"{DONE.url}|7")),
        ("Subscription.criteria.extension[0]", topical("id-only", "Task?status=completed")),
        ("Subscription.criteria.extension[1]", topical("id-only", "Task?priority=stat", "Task?priority:in=stat")),
        ("Subscription.criteria.extension[0]", topical("id-only", "priority=stat")),
        ("Subscription.criteria.extension[0]", topical("id-only", "Task?patient.name=x")),
        ("Subscription.channel.payload", topical("everything")),
        ("Subscription.channel.payload", topical(channel={"_payload": None})),
        ("Subscription.channel.type", topical(channel={"type": "websocket"})),
        ("Subscription.channel.type", topical(channel={"type": "message"})),
        ("Subscription.channel.extension[0]", topical(channel={"extension": [of_channel("heartbeat-period", 1)]})),
        ("Subscription.channel.extension[0]", topical(channel={"extension": [of_channel("timeout", 600)]})),
        ("Subscription.channel.extension[0]", topical(channel={"extension": [of_channel("max-count", 5000)]})),
    ],
)
async def test_what_cannot_be_honoured_is_refused_at_its_element(place: Place, at: str, asked: Resource) -> None:
    channel = {name: value for name, value in asked["channel"].items() if value is not None}
    answer = await place.ask("POST", "Subscription", {**asked, "channel": channel})
    assert (answer.status_code, where(answer)) == (422, [at])
    if "extension[" in at and "criteria" in at:
        assert "Task?priority" in answer.text
    if at == "Subscription.channel.type":
        assert "rest-hook" in answer.text


@pytest.fixture(scope="module")
async def place(data_dir: Path) -> AsyncIterator[Place]:
    async with opened(data_dir, SERVICE) as street:
        yield street["order"]


@pytest.mark.parametrize(
    "query",
    ["patient.name=x", "_has:Task:subject:status=x", "_sort=status", "_count=1", "_include=Task:patient", "a", "%ZZ=1"],
)
async def test_plain_criteria_that_look_beyond_one_resource_are_refused(place: Place, query: str) -> None:
    asked = {**topical(), "meta": {"profile": ["http://his.example/any"]}, "criteria": f"Task?{query}"}
    asked["channel"] = {name: value for name, value in asked["channel"].items() if name != "_payload"}
    answer = await place.ask("POST", "Subscription", asked)
    assert (answer.status_code, where(answer)) == (422, ["Subscription.criteria"])


async def test_who_may_not_read_what_it_tells_does_not_subscribe(place: Place) -> None:
    answer = await place.ask("POST", "Subscription", topical(), scopes="system/Subscription.cruds")
    assert (answer.status_code, where(answer)) == (403, ["Subscription.criteria"])
    answer = await place.ask("POST", "Subscription", topical(), scopes="system/Subscription.cruds system/Task.rs")
    assert answer.status_code == 201
