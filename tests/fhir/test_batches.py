"""Several events in one notification (Backport max-count): what becomes of them when it is refused."""

from __future__ import annotations

import json
from pathlib import Path

import httpx

from tests.fhir.place import a_task, until
from tests.fhir.test_topics import becomes, settled, subscribed
from tests.support.backport import of_channel, told, topical


async def test_of_a_batch_that_is_refused_for_its_content_only_the_culprit_is_parked(data_dir: Path) -> None:
    """The others of the batch are told by themselves, under keys of their own: no key stands for two contents."""
    keys: list[tuple[str, tuple[str, ...]]] = []
    ready = False

    def endpoint(request: httpx.Request) -> httpx.Response:
        bundle = json.loads(request.content)
        if told(bundle)["type"] == "handshake":
            return httpx.Response(200)
        if not ready:
            return httpx.Response(503)
        numbers = tuple(event["event-number"] for event in told(bundle)["events"])
        keys.append((request.headers["Idempotency-Key"], numbers))
        return httpx.Response(422 if "2" in numbers else 200)

    asked = topical(
        "id-only", channel={"endpoint": "http://his.example/topics", "extension": [of_channel("max-count", 3)]}
    )
    async with subscribed(data_dir, endpoint, asked) as (place, made):  # type: ignore[arg-type]
        await becomes(place, made, "active")
        for _ in range(3):
            await place.make(a_task("completed"))
        ready = True
        await until(lambda: settled(place), 20)
        states = await place.rows("SELECT state FROM delivery ORDER BY number")
        assert [row["state"] for row in states] == ["delivered", "parked", "delivered"]
    assert len({key for key, _ in keys}) == len({numbers for _, numbers in keys})
    assert ("2",) in [numbers for _, numbers in keys]
