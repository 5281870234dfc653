"""A subscriber that fails in every way while events go on and the senders are killed: all arrives, in order, told apart."""

from __future__ import annotations

import asyncio
import contextlib
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.fhir.place import Place, Resource, a_task, until
from tests.support.backport import of_channel, told, topical
from tests.support.replica import Replica, two_replicas
from tests.support.subscriber import Receipt, Subscriber

_TASKS = 5
_FAILURES = ("500", "hang", "cut the request", "refuse", "cut the head", "trickle", "cut the answer")
Numbered = tuple[int, str, Receipt]  # number, Idempotency-Key, where it came


async def test_every_event_arrives_in_order_while_a_subscriber_fails_and_senders_are_killed(data_dir: Path) -> None:
    draw = random.Random(20261126)
    bad, good = Subscriber(), Subscriber()
    await asyncio.gather(bad.listen(), good.listen())
    async with two_replicas(data_dir, "outage_") as (street, replicas):
        place = street["order"]
        lanes = await subscribed(place, bad, good)
        writing = asyncio.create_task(write_on(place))
        try:
            await fail_in_every_way(bad, each_seconds=0.8)
            killed_from = time.time()
            killing = asyncio.create_task(kill_at_random(replicas, draw))
            await fail_in_every_way(bad, each_seconds=0.8)
            await bad.refuse()
            await killing
        finally:
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writing
        await bad.listen()
        await until(lambda: nothing_waits(place), 90)
        rows = await place.rows("SELECT subscription, number, key, version, event_at, attempt_id FROM delivery")
    for lane, (subscriber, path) in lanes.items():
        sent = {row["number"]: row for row in rows if row["subscription"] == lane}
        assert sorted(sent) == list(range(1, len(sent) + 1))
        assert len(sent) > 40
        taken = receipts(subscriber, path)
        judged(sent, taken, strict=path.startswith("topical"))
    delays = [
        (row["event_at"].timestamp(), first.at - row["event_at"].timestamp())
        for lane, (subscriber, path) in lanes.items()
        if subscriber is good
        for row in rows
        if row["subscription"] == lane
        for first in [next(r for n, _, r in receipts(good, path) if n == row["number"])]
    ]
    calm = [delay for at, delay in delays if at < killed_from]
    wild = [delay for at, delay in delays if at >= killed_from]
    say("healthy subscribers beside a failing one", calm)
    say("and while senders were killed", wild)
    # Promised: 100 ms and 2 s. A machine that runs all tests at once is given more time, not another order of things.
    assert statistics.median(calm) < 1
    assert max(calm) < 5
    assert max(wild) < 15


async def subscribed(place: Place, bad: Subscriber, good: Subscriber) -> dict[str, tuple[Subscriber, str]]:
    """A plain rest-hook and a topic subscription for each of the two; the latter have shaken hands."""
    lanes = {}
    for subscriber, name in ((bad, "bad"), (good, "good")):
        plain: Resource = {
            "resourceType": "Subscription",
            "status": "requested",
            "reason": "a test",
            "criteria": "Task",
            "channel": {
                "type": "rest-hook",
                "endpoint": subscriber.address(f"plain-{name}"),
                "payload": "application/fhir+json",
            },
        }
        channel = {"endpoint": subscriber.address(f"topical-{name}"), "extension": [of_channel("max-count", 5)]}
        for tree, path in ((plain, f"plain-{name}"), (topical("id-only", channel=channel), f"topical-{name}")):
            lanes[(await place.make(tree))["id"]] = (subscriber, path)
    await until(lambda: all_active(place))
    return lanes


async def all_active(place: Place) -> bool:
    return not await place.rows("SELECT 1 FROM subscription WHERE NOT internal AND status <> 'active'")


async def nothing_waits(place: Place) -> bool:
    rows = await place.rows(
        "SELECT 1 FROM outbox WHERE NOT fanned_out UNION ALL SELECT 1 FROM delivery WHERE state = 'waiting' LIMIT 1"
    )
    return not rows


async def write_on(place: Place) -> None:
    """A few tasks become completed and requested again, for as long as it takes."""
    tasks = [await place.make(a_task()) for _ in range(_TASKS)]
    while True:
        for position, task in enumerate(tasks):
            status = "completed" if task["status"] == "requested" else "requested"
            answer = await place.ask("PUT", f"Task/{task['id']}", {**task, "status": status})
            assert answer.status_code == 200, answer.text
            tasks[position] = answer.json()
            await place.running.worker.bell.step()  # the one who writes delivers nothing: it rings for those who do
            await asyncio.sleep(0.05)


async def fail_in_every_way(subscriber: Subscriber, *, each_seconds: float) -> None:
    for mode in _FAILURES:
        if mode == "refuse":
            await subscriber.refuse()
        else:
            subscriber.mode = mode
        await asyncio.sleep(each_seconds)
        if mode == "refuse":
            await subscriber.listen()
    subscriber.mode = "fine"


async def kill_at_random(replicas: list[Replica], draw: random.Random) -> None:
    for _ in range(3):
        await asyncio.sleep(draw.uniform(0.3, 1.5))
        replica = draw.choice(replicas)
        replica.kill()
        await replica.start()


def receipts(subscriber: Subscriber, path: str) -> list[Numbered]:
    """What came at a path, event by event; a handshake is none."""
    found: list[Numbered] = []
    for receipt in subscriber.got:
        if receipt.path == path and "idempotency-key" in receipt.headers:
            found += [(number, receipt.headers["idempotency-key"], receipt) for number in numbers_of(receipt)]
    return found


def numbers_of(receipt: Receipt) -> list[int]:
    if receipt.path.startswith("plain"):
        return [int(receipt.headers["slipring-event-number"])]
    bundle = httpx.Response(200, content=receipt.body).json()
    return [int(event["event-number"]) for event in told(bundle)["events"]]


def judged(sent: dict[int, Any], came: Sequence[Numbered], *, strict: bool) -> None:
    """Every event was taken; the first taking is in order; every repeat has its key again and says so."""
    first_taken: dict[int, int] = {}
    keys: dict[str, list[int]] = defaultdict(list)
    seen: set[str] = set()
    for position, (number, key, receipt) in enumerate(came):
        if receipt.taken:
            first_taken.setdefault(number, position)
        if number not in keys[key]:
            keys[key].append(number)
    for receipt in dict.fromkeys(id(r) for _, _, r in came):
        told_of = next(r for _, _, r in came if id(r) == receipt)
        key = told_of.headers["idempotency-key"]
        assert (key not in seen) or told_of.headers["slipring-repeat"] == "true"
        seen.add(key)
        assert numbers_of(told_of) == keys[key], "one key stands for one and the same content"
    assert set(first_taken) == set(sent), "an event that was never taken"
    order = sorted(first_taken, key=lambda number: first_taken[number])
    if strict:
        assert order == sorted(order)
    for key in {row["key"] for row in sent.values()}:
        of_one = [sent[number]["version"] for number in order if sent[number]["key"] == key]
        assert of_one == sorted(of_one)


def say(what: str, delays: Sequence[float]) -> None:
    ranked = [round(1000 * delay) for delay in sorted(delays)]
    p50, p99 = ranked[len(ranked) // 2], ranked[int(len(ranked) * 0.99)]
    print(f"\n{what}: {len(ranked)} events, commit to receipt p50 {p50} ms, p99 {p99} ms, most {ranked[-1]} ms")  # noqa: T201
