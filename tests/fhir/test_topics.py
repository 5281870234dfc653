"""Topic subscriptions (Subscriptions R5 Backport on R4): what is an event, who is told, and how a subscription lives."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from slipring.fhir.service import Keeps, Service

from tests.fhir.place import Place, Resource, a_patient, a_task, opened, until, where
from tests.support.backport import DONE, Endpoint, of_channel, told, topical

SERVICE = Service("order", "o", "x", keeps=[Keeps("Task"), Keeps("Patient")], topics=[DONE])


@asynccontextmanager
async def subscribed(
    data_dir: Path, endpoint: Endpoint, asked: Resource | None = None, **around: Any
) -> AsyncIterator[tuple[Place, Resource]]:
    async with opened(data_dir, SERVICE, outside=endpoint, **around) as street:
        place = street["order"]
        made = await place.make(asked or topical())
        await place.running.start()
        yield place, made


async def shown(place: Place, made: Resource) -> Resource:
    answer = await place.ask("GET", f"Subscription/{made['id']}")
    assert answer.status_code == 200
    tree: Resource = answer.json()
    return tree


async def becomes(place: Place, made: Resource, status: str) -> Resource:
    async def reached() -> Resource | None:
        tree = await shown(place, made)
        return tree if tree["status"] == status else None

    found: Resource = await until(reached)
    return found


async def settled(place: Place) -> bool:
    """Everything written is fanned out and everything numbered is delivered."""
    waiting = await place.rows(
        "SELECT 1 FROM outbox WHERE NOT fanned_out UNION ALL SELECT 1 FROM delivery WHERE state = 'waiting'"
    )
    return not waiting


async def put(place: Place, tree: Resource, **members: Any) -> Resource:
    answer = await place.ask("PUT", f"{tree['resourceType']}/{tree['id']}", {**tree, **members})
    assert answer.status_code == 200, answer.text
    written: Resource = answer.json()
    return written


# --- its life ------------------------------------------------------------------------------------------------


async def test_a_subscription_is_active_once_its_endpoint_has_answered_the_handshake(data_dir: Path) -> None:
    endpoint = Endpoint()
    async with opened(data_dir, SERVICE, outside=endpoint) as street:
        place = street["order"]
        made = await place.make(topical())
        await place.make(a_task("completed"))
        assert (await shown(place, made))["status"] == "requested"
        assert endpoint.requests == []
        await place.running.start()
        await becomes(place, made, "active")
        await until(lambda: settled(place))
    handshake, event = endpoint.bundles()
    assert told(handshake)["type"] == "handshake"
    assert told(handshake)["status"] == "requested"
    assert told(handshake)["subscription"].endswith(f"/Subscription/{made['id']}")
    assert [one["event-number"] for one in told(event)["events"]] == ["1"]


async def test_a_refused_handshake_is_an_error_that_counts_on_and_tells_what_waited_when_it_is_answered(
    data_dir: Path,
) -> None:
    endpoint = Endpoint(500, 404)
    async with subscribed(data_dir, endpoint) as (place, made):
        for _ in range(3):
            await place.make(a_task("completed"))
        tree = await becomes(place, made, "error")
        assert tree["error"] in ("HTTP 500", "HTTP 404")
        assert endpoint.bundles("event-notification") == []
        await becomes(place, made, "active")
        await until(lambda: settled(place))
    assert [told(one)["type"] for one in endpoint.bundles()[:3]] == ["handshake"] * 3
    assert endpoint.numbers() == [1, 2, 3]


async def test_a_search_by_status_finds_what_a_read_shows(data_dir: Path) -> None:
    async with subscribed(data_dir, Endpoint()) as (place, made):
        await becomes(place, made, "active")

        async def found() -> bool:
            listed = await place.found("Subscription?status=active")
            return [(one["id"], one["status"]) for one in listed] == [(made["id"], "active")]

        await until(found)
        assert await place.found("Subscription?status=requested") == []
        answer = await place.ask("PUT", f"Subscription/{made['id']}", {**made, "reason": "asked again"})
        assert answer.status_code == 200
        await until(found)


async def test_a_heartbeat_comes_when_nothing_was_sent_for_a_period(data_dir: Path) -> None:
    endpoint = Endpoint()
    asked = topical(channel={"extension": [of_channel("heartbeat-period", 5)]})
    async with subscribed(data_dir, endpoint, asked) as (place, made):
        await place.make(a_task("completed"))
        await becomes(place, made, "active")
        await until(lambda: settled(place))
        # The period passes without waiting for it: the last sending is laid back in time.
        await place.pool.execute(
            "UPDATE subscription SET sent_at = sent_at - interval '5 s', life_at = clock_timestamp()"
        )

        async def beaten() -> bool:
            return len(endpoint.bundles("heartbeat")) == 1

        await until(beaten)
        [beat] = endpoint.bundles("heartbeat")
        assert told(beat)["events-since-subscription-start"] == "1"
        assert told(beat)["events"] == []


async def test_a_subscription_whose_end_has_come_is_off_and_hears_nothing_more(data_dir: Path) -> None:
    endpoint = Endpoint()
    async with subscribed(data_dir, endpoint, topical(end="2099-01-01T00:00:00Z")) as (place, made):
        await becomes(place, made, "active")
        await place.pool.execute("UPDATE subscription SET ends_at = clock_timestamp()")
        await becomes(place, made, "off")
        await place.make(a_task("completed"))
        await until(lambda: settled(place))
        assert endpoint.events() == []
        over = await place.ask("PUT", f"Subscription/{made['id']}", {**made, "end": "2020-01-01T00:00:00Z"})
        assert (over.status_code, where(over)) == (422, ["Subscription.end"])


async def test_another_endpoint_is_asked_first_and_the_numbers_go_on(data_dir: Path) -> None:
    endpoint = Endpoint()
    async with subscribed(data_dir, endpoint) as (place, made):
        await place.make(a_task("completed"))
        await becomes(place, made, "active")
        await until(lambda: settled(place))
        moved = {**await shown(place, made), "channel": {**made["channel"], "endpoint": "http://his.example/other"}}
        answer = await put(place, moved)
        await place.make(a_task("completed"))
        await until(lambda: settled(place))
        narrowed = topical("id-only", "Task?priority=stat")
        await put(place, answer, criteria=narrowed["criteria"], _criteria=narrowed["_criteria"], status="active")
        await place.make(a_task("completed"))
        await place.make(a_task("completed", priority="stat"))
        await until(lambda: settled(place))
    kinds = [
        (told(bundle)["type"], request.url.path)
        for bundle, request in zip(endpoint.bundles(), endpoint.requests, strict=True)
    ]
    assert kinds == [
        ("handshake", "/topics"),
        ("event-notification", "/topics"),
        ("handshake", "/other"),
        ("event-notification", "/other"),
        ("event-notification", "/other"),
    ]
    assert endpoint.numbers() == [1, 2, 3]


async def test_only_requested_and_off_are_for_the_client_to_say(data_dir: Path) -> None:
    async with opened(data_dir, SERVICE) as street:
        place = street["order"]
        for status in ("active", "error"):
            answer = await place.ask("POST", "Subscription", topical(status=status))
            assert (answer.status_code, where(answer)) == (422, ["Subscription.status"])
        made = await place.make(topical(status="off"))
        answer = await place.ask("PUT", f"Subscription/{made['id']}", {**made, "status": "active"})
        assert (answer.status_code, where(answer)) == (422, ["Subscription.status"])
        assert (await put(place, made, status="requested"))["status"] == "requested"


# --- what is an event ----------------------------------------------------------------------------------------


async def test_a_topic_fires_on_the_transition_and_not_on_every_write(data_dir: Path) -> None:
    endpoint = Endpoint()
    async with subscribed(data_dir, endpoint) as (place, made):
        task = await place.make(a_task("requested"))
        done = await put(place, task, status="completed")
        again = await put(place, done, note=[{"text": "no change of state"}])
        undone = await put(place, again, status="in-progress")
        await put(place, undone, status="completed")
        born = await place.make(a_task("completed"))
        await place.ask("DELETE", f"Task/{born['id']}")
        await until(lambda: settled(place))
        await becomes(place, made, "active")
        await until(lambda: settled(place))
    base = "http://x/order/fhir"
    assert [event["focus"] for event in endpoint.events()] == [
        f"{base}/Task/{task['id']}",
        f"{base}/Task/{task['id']}",
        f"{base}/Task/{born['id']}",
        f"{base}/Task/{born['id']}",
    ]
    entries = [entry for bundle in endpoint.bundles("event-notification") for entry in bundle["entry"][1:]]
    assert [entry["request"]["method"] for entry in entries] == ["PUT", "PUT", "POST", "DELETE"]
    assert [entry["response"]["etag"] for entry in entries] == ['W/"2"', 'W/"5"', 'W/"1"', 'W/"2"']


async def test_all_filters_must_hold_and_one_value_of_each_is_enough(data_dir: Path) -> None:
    endpoint = Endpoint()
    async with opened(data_dir, SERVICE, outside=endpoint) as street:
        place = street["order"]
        one, other = await place.make(a_patient()), await place.make(a_patient())
        mine = {"for": {"reference": f"Patient/{one['id']}"}}
        await place.make(topical("id-only", f"Task?patient=Patient/{one['id']}", "Task?priority=stat,urgent"))
        await place.running.start()
        heard = [await place.make(a_task("completed", priority=priority, **mine)) for priority in ("stat", "urgent")]
        await place.make(a_task("completed", priority="routine", **mine))
        await place.make(a_task("completed", priority="stat", **{"for": {"reference": f"Patient/{other['id']}"}}))

        async def told_all() -> bool:
            return len(endpoint.events()) >= 2 and await settled(place)

        await until(told_all)
    assert [event["focus"].rpartition("/")[2] for event in endpoint.events()] == [task["id"] for task in heard]
