"""The topics that ship: their states are those of the lifecycles, everything they say can be judged, the front knows them."""

from __future__ import annotations

import tomllib
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.checks.shape import check
from slipring.fhir.search.include import include
from slipring.fhir.search.parameter import parameters_for
from slipring.fhir.topics import Topic
from slipring.fhir.topics.basic import as_basic
from slipring.fhir.topics.hearing import of_topic, read
from slipring.front.owners import the_owners
from slipring.process import installed_services

ROOT = Path(__file__).parents[2] / "services"
SERVICES = installed_services()
TOPICS = {topic.id: (name, topic) for name, service in SERVICES.items() for topic in service.topics}
every_topic = pytest.mark.parametrize("topic", [topic for _, topic in TOPICS.values()], ids=list(TOPICS))


def of(path: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / path).read_text("utf-8"))


def states_of(topic: Topic) -> set[str]:
    return {trigger.current.rpartition("|")[2].rpartition("=")[2] for trigger in topic.triggers if trigger.current}


def test_there_is_a_topic_for_each_state_that_others_wait_for() -> None:
    assert {name: owner for name, (owner, _) in TOPICS.items()} == {
        "request-state": "order",
        "bookings-to-move": "order",
        "scanner-out-of-limits": "order",
        "clause-verdict-changed": "order",
        "consent-state": "consent",
        "injection-alarm": "consent",
        "reaction-state": "consent",
        "report-released": "report",
        "report-amended": "report",
        "report-withdrawn": "report",
        "report-notice": "report",
        "reporting-time-warning": "report",
        "reporting-time-breached": "report",
        "critical-case-state": "critical",
    }


def test_the_states_of_a_topic_are_those_of_the_lifecycle() -> None:
    moves = of("order/slipring_order/lifecycle.toml")["move"]
    assert states_of(TOPICS["request-state"][1]) == {move["to"] for move in moves} | {"received"}
    assert states_of(TOPICS["critical-case-state"][1]) == set(
        of("critical/slipring_critical/data/lifecycle.toml")["task-status"]
    )
    assert states_of(TOPICS["consent-state"][1]) == {
        move["to"] for move in of("consent/slipring_consent/data/consent.toml")["move"]
    }
    assert states_of(TOPICS["report-notice"][1]) == set(of("report/slipring_report/data/notices.toml")["notice"])
    told = [TOPICS[f"report-{name}"][1] for name in ("released", "amended", "withdrawn")]
    reports = {move["to"] for move in of("report/slipring_report/lifecycle.toml")["move"]}
    assert reports - {"partial", "registered"} <= set().union(*map(states_of, told)) | {"preliminary"}


@every_topic
def test_all_that_a_topic_says_can_be_judged_on_one_resource(topic: Topic) -> None:
    service = SERVICES[TOPICS[topic.id][0]]
    assert len(of_topic(topic, (), UTC)) == len(topic.triggers)
    for resource in topic.resources:
        assert service.keeper_of(resource) is not None
    for one in topic.filters:
        assert one.resource in topic.resources
        assert one.parameter in parameters_for(one.resource)
        for modifier in one.modifiers:
            assert read(f"{one.resource}?{one.parameter}:{modifier}=x", UTC).clauses
    for text in topic.include:
        assert include(text.partition(":")[0], "_include", text)


@every_topic
def test_a_topic_is_shown_as_a_sound_basic_with_every_trigger_and_filter(topic: Topic) -> None:
    shown = as_basic(topic)
    assert [issue for issue in check(shown) if issue.severity == "error"] == []
    urls = [extension["url"].rpartition(".")[2] for extension in shown["extension"]]
    assert urls.count("resourceTrigger") == len(topic.triggers)
    assert urls.count("canFilterBy") == len(topic.filters)
    assert "{" not in str(topic.triggers)


@every_topic
def test_the_front_sends_a_subscription_to_a_topic_to_the_service_that_tells_it(topic: Topic) -> None:
    owner = the_owners().owner_of({"resourceType": "Subscription", "criteria": topic.url})
    assert owner is not None and owner.owner == TOPICS[topic.id][0]
    assert sorted(the_owners().topics) == sorted(topic.url for _, topic in TOPICS.values())
