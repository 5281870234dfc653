"""Subscriptions at the front: each goes to the one service that can tell it, and the status of all is one answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from slipring.fhir.caller import Caller
from slipring.fhir.service import CANONICAL as C

from tests.front.hospital import His, Tree, a_patient, to
from tests.support.backport import status_of, told, topical
from tests.support.backport_profile import faults, status_faults
from tests.support.department import Department

SILENT = {"endpoint": "http://127.0.0.1:47999/nobody"}


@pytest.fixture(scope="module")
async def his(department: Department) -> His:
    return His(department)


def plain(criteria: str) -> Tree:
    """An R4 rest-hook at an endpoint that never answers."""
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "a test",
        "criteria": criteria,
        "channel": {"type": "rest-hook", **SILENT},
    }


@pytest.mark.parametrize(
    ("criteria", "letter"),
    [
        (f"{C}/SubscriptionTopic/request-state", "o"),
        (f"{C}/SubscriptionTopic/consent-state", "c"),
        (f"{C}/SubscriptionTopic/report-released", "r"),
        (f"{C}/SubscriptionTopic/critical-case-state", "k"),
        ("Consent?status=active", "c"),
        ("Task?code=exam", "o"),
        (f"Task?code={C}/CodeSystem/task-code|critical-case", "k"),
    ],
)
async def test_a_subscription_is_kept_by_whoever_tells_it(his: His, criteria: str, letter: str) -> None:
    asked = topical(topic=criteria, channel=SILENT) if "://" in criteria.partition("?")[0] else plain(criteria)
    made = await his.made(asked)
    assert made["id"].startswith(f"{letter}-")
    assert (await his.bundle(f"Subscription/{made['id']}"))["criteria"] == criteria


@pytest.mark.parametrize("criteria", ["Task?status=requested", "Task?code=exam,critical-case", "Observation?code=x"])
async def test_what_several_services_would_tell_is_refused_and_they_are_named(his: His, criteria: str) -> None:
    answer = await his.ask("POST", "Subscription", plain(criteria))
    assert answer.status_code == 422
    [issue] = answer.json()["issue"]
    assert issue["expression"] == ["Subscription.criteria"]
    assert "http://127.0.0.1:8100/order/fhir/Subscription" in issue["details"]["text"]
    entry = {"resource": plain(criteria), "request": {"method": "POST", "url": "Subscription"}}
    batch = (await his.ask("POST", "", {"resourceType": "Bundle", "type": "batch", "entry": [entry]})).json()
    assert batch["entry"][0]["response"]["status"].startswith("422")
    transaction = await his.ask("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": [entry]})
    assert transaction.status_code == 422
    assert transaction.json()["issue"][0]["expression"] == ["Bundle.entry[0].resource.criteria"]


async def test_a_topic_that_nobody_tells_is_refused_with_all_that_are_told(his: His) -> None:
    answer = await his.ask("POST", "Subscription", topical(topic=f"{C}/SubscriptionTopic/lunch", channel=SILENT))
    assert answer.status_code == 422
    for name in ("request-state", "consent-state", "report-withdrawn", "critical-case-state"):
        assert f"{C}/SubscriptionTopic/{name}" in answer.text


async def test_events_and_status_are_asked_for_at_one_address(his: His, department: Department) -> None:
    asked = topical("full-resource", topic=f"{C}/SubscriptionTopic/consent-state", channel=SILENT)
    made = await his.made(asked)
    patient = await his.made(a_patient("Topical"))
    consent = await his.made(
        {
            "resourceType": "Consent",
            "status": "draft",
            "scope": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "treatment"}]
            },
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "policyRule": {"text": "one"},
            "patient": to(patient),
        }
    )
    await department.settle()
    replay = await his.bundle(f"Subscription/{made['id']}/$events")
    assert faults(replay) == []
    assert [event["focus"].rpartition("/")[2] for event in told(replay)["events"]] == [consent["id"]]
    assert replay["entry"][1]["resource"] == (await his.bundle(f"Consent/{consent['id']}"))
    everyone = await his.bundle("Subscription/$status")
    assert everyone["total"] == len(everyone["entry"]) >= 4
    assert [fault for entry in everyone["entry"] for fault in status_faults(entry["resource"])] == []
    keepers = {status_of(e["resource"])["subscription"].rpartition("/")[2][:2] for e in everyone["entry"]}
    assert {"o-", "c-"} <= keepers
    one = await his.bundle(f"Subscription/$status?id={made['id']}")
    assert [status_of(e["resource"])["topic"] for e in one["entry"]] == [asked["criteria"]]
    listed = await his.ids("Subscription?criteria=Task")
    assert all(name.startswith(("o-", "k-")) for name in listed)


async def test_the_statement_names_every_topic_and_each_is_read_as_basic(his: His) -> None:
    [subscription] = [
        one for one in (await his.bundle("metadata"))["rest"][0]["resource"] if one["type"] == "Subscription"
    ]
    stated = [one["valueCanonical"] for one in subscription["extension"]]
    assert len(stated) == len(set(stated)) == 14
    assert {one["name"] for one in subscription["operation"]} >= {"status", "events"}
    assert (
        "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition/backport-subscription"
        in (subscription["supportedProfile"])
    )
    shown = await his.bundle("Basic?code=http://hl7.org/fhir/fhir-types|SubscriptionTopic")
    found = {
        extension["valueUri"]
        for entry in shown["entry"]
        for extension in entry["resource"]["extension"]
        if extension["url"].endswith("SubscriptionTopic.url")
    }
    assert found == set(stated)


async def test_the_standing_of_a_subscriber_is_that_of_its_client_now(department: Department) -> None:
    kernel = department.house.services["order"].kernel
    clients = f'"{kernel.store.schema.removesuffix("order")}front".client'
    caller = Caller("leaving", frozenset({"system/Task.rs", "system/Patient.r"}))
    assert await kernel.standing(caller) is None
    stored = f"INSERT INTO {clients} (id, name, jwks, scopes) VALUES ($1, $1, '{{}}', $2)"
    await kernel.store.pool.execute(stored, "staying", ["system/Task.cruds"])
    held = await kernel.standing(replace(caller, client="staying"))
    assert held is not None and held.scopes == {"system/Task.rs"}


async def test_how_all_subscriptions_of_a_client_stand_is_one_answer(his: His) -> None:
    made = [await his.made(plain(criteria)) for criteria in ("Task?code=exam", "Consent?status=active")]
    answer = await his.ask("GET", "Subscription/$deliveries")
    assert answer.status_code == 200, answer.text
    told = [
        part["valueReference"]["reference"]
        for p in answer.json()["parameter"]
        for part in p["part"]
        if part["name"] == "reference"
    ]
    assert {f"Subscription/{one['id']}" for one in made} <= set(told)
    one = await his.ask("GET", f"Subscription/{made[1]['id']}/$deliveries")
    assert len(one.json()["parameter"]) == 1
