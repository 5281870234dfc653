"""Events reach outside subscribers in order, at least once, and what is refused is seen."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from slipring.fhir.service import Keeps, Service

from tests.fhir.place import Place, Resource, a_patient, a_task, opened, until, where

SERVICE = Service("order", "o", "x", keeps=[Keeps("Task"), Keeps("Patient")])


def subscription(criteria: str = "Task?status=requested", **channel: str) -> Resource:
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "a test",
        "criteria": criteria,
        "channel": {
            "type": "rest-hook",
            "endpoint": "http://his.example/hook",
            "payload": "application/fhir+json",
            "header": ["X-Secret: 1"],
            **channel,
        },
    }


class Hook:
    """An outside receiver that can be told how to answer."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.got: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.got.append(request)
        return httpx.Response(self.answers.pop(0) if self.answers else 200)


@asynccontextmanager
async def subscribed(data_dir: Path, hook: Any, **around: object) -> AsyncIterator[tuple[Place, Resource]]:
    async with opened(data_dir, SERVICE, outside=hook, **around) as street:
        place = street["order"]
        made = await place.make(subscription())
        await place.running.start()
        yield place, made


async def test_a_failing_subscriber_gets_every_event_in_order_with_repeats_marked(data_dir: Path) -> None:
    hook = Hook(500, 503)
    async with subscribed(data_dir, hook) as (place, made):
        task = await place.make(a_task())
        for version in range(2, 6):
            await place.ask("PUT", f"Task/{task['id']}", {**task, "description": str(version)})
        await place.make(a_task("draft"))
        shown = await until(lambda: in_error(place, made))
        assert shown["error"] == "HTTP 500" or shown["error"] == "HTTP 503"
        await until(lambda: delivered(place, 5))
        good = hook.got[2:]
        assert [request.headers["Slipring-Event"] for request in good] == [
            f"Task/{task['id']}/_history/{version}" for version in range(1, 6)
        ]
        assert [request.headers["Slipring-Event-Number"] for request in good] == ["1", "2", "3", "4", "5"]
        assert len({request.headers["Idempotency-Key"] for request in hook.got[:3]}) == 1
        assert [request.headers["Slipring-Repeat"] for request in hook.got[:4]] == ["false", "true", "true", "false"]
        assert hook.got[0].headers["X-Secret"] == "1"
        assert hook.got[0].content.decode() == (await place.ask("GET", f"Task/{task['id']}/_history/1")).text
        assert (await place.ask("GET", f"Subscription/{made['id']}")).json()["status"] == "active"


async def in_error(place: Place, made: Resource) -> Resource | None:
    answer = await place.ask("GET", f"Subscription/{made['id']}")
    assert answer.headers["etag"] == 'W/"1"'
    tree: Resource = answer.json()
    return tree if tree["status"] == "error" else None


async def delivered(place: Place, number: int) -> bool:
    rows = await place.rows("SELECT count(*) AS n FROM delivery WHERE state <> 'waiting'")
    return bool(rows[0]["n"] >= number)


async def test_a_refusal_for_its_content_is_parked_and_later_events_go_on(data_dir: Path) -> None:
    hook = Hook(422)
    async with subscribed(data_dir, hook) as (place, _):
        for _ in range(3):
            await place.make(a_task())
        await until(lambda: delivered(place, 3))
        states = await place.rows("SELECT number, state, error FROM delivery ORDER BY number")
        assert [(row["number"], row["state"]) for row in states] == [(1, "parked"), (2, "delivered"), (3, "delivered")]
        assert states[0]["error"] == "HTTP 422"
        health = await place.client.get("/order/health/engine")
        assert health.json()["parked_deliveries"] == 1


async def test_nothing_is_sent_twice_while_its_answer_is_written_down(data_dir: Path) -> None:
    """Answers come back while others are being stored: what was answered, and still waits in its row, is not due again."""
    chance, got = random.Random(20261126), Counter[str]()

    async def hook(request: httpx.Request) -> httpx.Response:
        got[request.headers["Slipring-Event-Number"]] += 1
        await asyncio.sleep(chance.uniform(0, 0.02))
        return httpx.Response(422 if chance.random() < 0.3 else 200)

    async with subscribed(data_dir, hook) as (place, _):
        for _ in range(8):
            await asyncio.gather(*(place.make(a_task()) for _ in range(20)))
        await until(lambda: delivered(place, 160), seconds=60)
    assert got == Counter(str(number) for number in range(1, 161))


async def test_a_resource_whose_notification_hangs_holds_up_its_own_events_only(data_dir: Path) -> None:
    got: list[tuple[str, str]] = []
    hanging, let_go, hung = asyncio.Event(), asyncio.Event(), set[str]()

    async def hook(request: httpx.Request) -> httpx.Response:
        _, task, _, version = request.headers["Slipring-Event"].split("/")
        if not hung:
            hung.add(task)
            hanging.set()
        if task in hung:  # also when it is asked again because it took too long
            await let_go.wait()
        got.append((task, version))
        return httpx.Response(200)

    async with subscribed(data_dir, hook) as (place, _):
        slow = await place.make(a_task())
        await hanging.wait()
        await place.ask("PUT", f"Task/{slow['id']}", {**slow, "description": "2"})
        others = [await place.make(a_task()) for _ in range(3)]
        await until(lambda: delivered(place, 3))
        assert sorted(got) == sorted((task["id"], "1") for task in others)
        let_go.set()
        await until(lambda: delivered(place, 5))
        assert got[3:] == [(slow["id"], "1"), (slow["id"], "2")]
        assert (await place.rows("SELECT delivered_number FROM subscription"))[0]["delivered_number"] == 5


async def test_a_resource_that_is_never_taken_lets_others_through_and_shows_as_an_error(data_dir: Path) -> None:
    poison = ""

    def hook(request: httpx.Request) -> httpx.Response:
        return httpx.Response(500 if poison and poison in request.headers["Slipring-Event"] else 200)

    async with subscribed(data_dir, hook) as (place, made):
        task = await place.make(a_task())
        await until(lambda: delivered(place, 1))
        poison = task["id"]
        await place.ask("PUT", f"Task/{poison}", {**task, "description": "2"})
        for number in range(2, 6):
            await place.make(a_task())
            await until(lambda number=number: delivered(place, number), 30)
        states = await place.rows("SELECT number, state FROM delivery ORDER BY number")
        assert [row["state"] for row in states] == ["delivered", "waiting", *["delivered"] * 4]
        assert (await until(lambda: in_error(place, made)))["error"] == "HTTP 500"
        poison = ""
        await until(lambda: delivered(place, 6), 30)
        assert (await place.ask("GET", f"Subscription/{made['id']}")).json()["status"] == "active"


async def test_numbers_are_consecutive_under_parallel_writers_and_two_workers(data_dir: Path) -> None:
    hook = Hook()
    around = {"schema_prefix": "two_workers_"}
    async with (
        subscribed(data_dir, hook, **around) as (place, _),
        opened(data_dir, SERVICE, outside=hook, **around) as second,
    ):
        await second["order"].running.start()
        await asyncio.gather(*(p.make(a_task()) for p in (place, second["order"]) for _ in range(20)))
        await until(lambda: delivered(place, 40), 20)
    numbers = [int(request.headers["Slipring-Event-Number"]) for request in hook.got]
    assert numbers == list(range(1, 41))


async def test_a_subscription_that_is_off_or_deleted_is_not_notified(data_dir: Path) -> None:
    hook = Hook()
    async with subscribed(data_dir, hook) as (place, made):
        await place.ask("PUT", f"Subscription/{made['id']}", {**made, "status": "off"})
        await place.make(a_task())
        await until(lambda: fanned_out(place))  # what is still on its way may reach who subscribes meanwhile
        other = await place.make(subscription("Task"))
        await place.ask("DELETE", f"Subscription/{other['id']}")
        await place.make(a_task())
        await until(lambda: fanned_out(place))
        assert hook.got == []


async def fanned_out(place: Place) -> bool:
    return not (await place.rows("SELECT 1 FROM outbox WHERE NOT fanned_out"))


async def test_a_subscription_that_cannot_be_honoured_is_refused_at_its_element(data_dir: Path) -> None:
    wrong = {
        "Subscription.channel.type": subscription(type="email"),
        "Subscription.channel.payload": subscription(payload="text/plain"),
        "Subscription.channel.endpoint": subscription(endpoint="http://169.254.169.254/latest"),
        "Subscription.criteria": subscription("Task?nonsense=1"),
    }
    async with opened(data_dir, SERVICE) as street:
        for at, tree in wrong.items():
            answer = await street["order"].ask("POST", "Subscription", tree)
            assert (answer.status_code, where(answer)) == (422, [at])
        foreign = await street["order"].ask("POST", "Subscription", subscription("Basic"))
        assert foreign.status_code == 422
        await street["order"].make(a_patient())
