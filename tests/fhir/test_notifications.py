"""Every notification is what the IG says, in each content, and another library reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fhirclient.models import bundle as smart_bundle
from slipring.fhir.checks.shape import check
from slipring.fhir.service import Keeps, Service
from slipring.fhir.text import tokens

from tests.fhir.place import Place, Resource, a_patient, a_task, opened, until, where
from tests.fhir.test_topics import settled
from tests.support.backport import DONE, Endpoint, of_channel, status_of, told, topical
from tests.support.backport_profile import faults, status_faults

SERVICE = Service("order", "o", "x", keeps=[Keeps("Task"), Keeps("Patient")], topics=[DONE])
BASE = "http://x/order/fhir"


async def play(place: Place) -> tuple[Resource, Resource]:
    """A task on a patient is completed, another one is born so and deleted: three events."""
    patient = await place.make(a_patient())
    task = await place.make(a_task("requested", **{"for": {"reference": f"Patient/{patient['id']}"}}))
    done = {**task, "status": "completed", "extension": [{"url": "urn:a", "valueDecimal": 1.5}]}
    written = json.dumps(done).replace("1.5", "1.50")
    assert (await place.ask("PUT", f"Task/{task['id']}", written)).status_code == 200
    other = await place.make(a_task("completed"))
    await place.ask("DELETE", f"Task/{other['id']}")
    return patient, task


@pytest.mark.parametrize("content", ["empty", "id-only", "full-resource"])
async def test_each_content_is_what_the_guide_says_and_another_library_reads_it(data_dir: Path, content: str) -> None:
    endpoint = Endpoint(503)
    asked = topical(content, channel={"extension": [of_channel("max-count", 2), of_channel("heartbeat-period", 60)]})
    async with opened(data_dir, SERVICE, outside=endpoint) as street:
        place = street["order"]
        made = await place.make(asked)
        patient, task = await play(place)
        await place.running.start()

        async def all_told() -> bool:
            return len(endpoint.numbers()) >= 3 and await settled(place)

        await until(all_told)
        await place.pool.execute(
            "UPDATE subscription SET sent_at = sent_at - interval '60 s', life_at = clock_timestamp()"
        )
        await until(lambda: beaten(endpoint))
        stored = (await place.ask("GET", f"Task/{task['id']}")).text
        replayed = (await place.ask("GET", f"Subscription/{made['id']}/$events")).json()
    assert [len(told(bundle)["events"]) for bundle in endpoint.bundles("event-notification")] == [2, 1]
    for bundle in [*endpoint.bundles(), replayed]:
        events = told(bundle)["events"]
        assert faults(bundle, content if events else "") == []
        assert [issue for issue in check(bundle) if issue.severity == "error"] == []
        read = smart_bundle.Bundle(json.loads(json.dumps(bundle)), strict=True)
        assert read.entry[0].resource.resource_type == "Parameters"
        assert len(read.entry) == len(bundle["entry"])
    if content == "full-resource":
        first = endpoint.bundles("event-notification")[0]
        assert [entry["fullUrl"] for entry in first["entry"][1:3]] == [
            f"{BASE}/Task/{task['id']}",
            f"{BASE}/Patient/{patient['id']}",
        ]
        assert told(first)["events"][0]["context"] == [f"{BASE}/Patient/{patient['id']}"]
        sent = next(request.content.decode() for request in endpoint.requests if b'"valueDecimal"' in request.content)
        assert list(tokens(stored))[1:-1] == _inside(sent, list(tokens(stored))[1:-1])


def _inside(text: str, wanted: list[Any]) -> list[Any]:
    """The part of a text's tokens that equals the wanted ones, or nothing."""
    found = list(tokens(text))
    starts = range(len(found) - len(wanted) + 1)
    return next((found[at : at + len(wanted)] for at in starts if found[at : at + len(wanted)] == wanted), [])


async def beaten(endpoint: Endpoint) -> bool:
    return bool(endpoint.bundles("heartbeat"))


async def test_a_repeat_says_the_same_under_the_same_key(data_dir: Path) -> None:
    endpoint = Endpoint(200, 500, 200)
    async with opened(data_dir, SERVICE, outside=endpoint) as street:
        place = street["order"]
        await place.make(topical("full-resource"))
        await place.make(a_task("completed"))
        await place.running.start()
        await until(lambda: settled(place))
    _, first, second = endpoint.requests
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]
    assert (first.headers["Slipring-Repeat"], second.headers["Slipring-Repeat"]) == ("false", "true")
    one, other = json.loads(first.content), json.loads(second.content)
    assert {**one, "timestamp": ""} == {**other, "timestamp": ""}


# --- $status and $events -------------------------------------------------------------------------------------


async def test_the_status_of_one_or_many_is_told_with_the_numbers_counted_so_far(data_dir: Path) -> None:
    endpoint = Endpoint(*[500] * 40)
    async with opened(data_dir, SERVICE, outside=endpoint) as street:
        place = street["order"]
        made, off = await place.make(topical()), await place.make(topical(status="off"))
        await place.running.start()
        await place.make(a_task("completed"))

        async def failing() -> Resource | None:
            [status] = await statuses(place, f"Subscription/{made['id']}/$status")
            counted = status["events-since-subscription-start"] == "1"
            return status if status["status"] == "error" and counted else None

        status = await until(failing)
        assert status["type"] == "query-status"
        assert status["error"] == {"text": "HTTP 500"}
        assert status["topic"] == DONE.url
        everyone = await statuses(place, "Subscription/$status")
        assert sorted(one["subscription"] for one in everyone) == sorted(
            f"{BASE}/Subscription/{one['id']}" for one in (made, off)
        )
        one = {"name": "id", "valueId": off["id"]}
        posted = await place.ask("POST", "Subscription/$status", {"resourceType": "Parameters", "parameter": [one]})
        [entry] = posted.json()["entry"]
        assert status_of(entry["resource"])["status"] == "off"
        assert len(await statuses(place, "Subscription/$status?status=off&status=error")) == 2
        assert await statuses(place, f"Subscription/$status?status=off&id={made['id']}") == []
        wrong = await place.ask("GET", "Subscription/$status?status=asleep")
        assert (wrong.status_code, where(wrong)) == (400, ["status"])
        assert (await place.ask("GET", "Subscription/nobody/$status")).status_code == 404


async def statuses(place: Place, path: str) -> list[Resource]:
    answer = await place.ask("GET", path)
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    assert (bundle["type"], bundle["total"]) == ("searchset", len(bundle.get("entry", [])))
    for entry in bundle.get("entry", []):
        assert status_faults(entry["resource"]) == []
    return [status_of(entry["resource"]) for entry in bundle.get("entry", [])]


async def test_events_are_replayed_from_number_to_number_in_the_content_asked_for(data_dir: Path) -> None:
    endpoint = Endpoint()
    async with opened(data_dir, SERVICE, outside=endpoint) as street:
        place = street["order"]
        made = await place.make(topical("id-only"))
        await place.running.start()
        tasks = [await place.make(a_task("completed")) for _ in range(4)]
        await until(lambda: fanned_out(place))
        path = f"Subscription/{made['id']}/$events"
        some = await replayed(place, f"{path}?eventsSinceNumber=2&eventsUntilNumber=3")
        assert [one["event-number"] for one in told(some)["events"]] == ["2", "3"]
        assert told(some)["type"] == "query-event"
        assert told(some)["events-since-subscription-start"] == "4"
        assert len((await replayed(place, path))["entry"]) == 5
        whole = await replayed(place, f"{path}?eventsSinceNumber=4&content=full-resource")
        assert whole["entry"][1]["resource"]["id"] == tasks[3]["id"]
        assert len((await replayed(place, f"{path}?content=empty"))["entry"]) == 1
        for at, value in (("eventsSinceNumber", "x"), ("eventsUntilNumber", "-1"), ("content", "all"), ("since", "1")):
            wrong = await place.ask("GET", f"{path}?{at}={value}")
            assert (wrong.status_code, where(wrong)) == (400, [at])
        blind = await place.ask("GET", path, scopes="system/Subscription.r")
        assert [sorted(one) for one in told(blind.json())["events"]] == [["context", "event-number", "timestamp"]] * 4
        assert len(blind.json()["entry"]) == 1
        last = (
            await place.rows("SELECT disclosed FROM audit WHERE interaction = 'operation' ORDER BY id DESC LIMIT 1")
        )[0]
        assert last["disclosed"] == []


async def fanned_out(place: Place) -> bool:
    return not await place.rows("SELECT 1 FROM outbox WHERE NOT fanned_out")


async def replayed(place: Place, path: str) -> Resource:
    answer = await place.ask("GET", path)
    assert answer.status_code == 200, answer.text
    bundle: Resource = answer.json()
    assert faults(bundle) == []
    return bundle
