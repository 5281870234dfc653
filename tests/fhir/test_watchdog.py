"""The watchdog: a match without a deadline gets one and is put right, and the engine says that it happened."""

from __future__ import annotations

import asyncio
from pathlib import Path

from slipring.fhir.service import Changes, Desk, Due, Keeps, Service, successor

from tests.fhir.place import Place, a_task, opened, until
from tests.watch.scraping import scraped, value


async def put_right(due: Due, desk: Desk) -> Changes:
    """The match is one no more."""
    task = await desk.read(due.subject)
    assert task is not None
    return Changes(save=[successor(task, status="completed")])


SERVICE = Service(
    "order",
    "o",
    "x",
    keeps=[Keeps("Task")],
    timers={"ring": put_right, "mend": put_right},
    deadlines={"open": "Task?status=requested"},
    repairs={"open": "mend"},
)
_ARM = (
    "INSERT INTO timer (kind, name, subject, timer_key, due_at, payload, attempt_id) "
    "VALUES ('timer', 'ring', $1, 'ring:' || $1, clock_timestamp() + interval '1 hour', '{}', 'a')"
)


async def test_what_has_no_deadline_is_put_right_and_what_has_one_is_left_alone(data_dir: Path) -> None:
    async with opened(data_dir, SERVICE) as street:
        place = street["order"]
        kept, lost, over = [await place.make(a_task(**members)) for members in ({}, {}, {"status": "completed"})]
        await place.pool.execute(_ARM, f"Task/{kept['id']}")
        watchdog = place.running.worker.watchdog
        assert value(await scraped(place.client, "/order/metrics"), "slipring_without_deadline", kind="open") == 1
        assert await watchdog.step() == 1
        assert await watchdog.step() == 0, "armed once"
        armed = await place.rows("SELECT name, subject FROM timer ORDER BY name")
        assert [(row["name"], row["subject"]) for row in armed] == [
            ("mend", f"Task/{lost['id']}"),
            ("ring", f"Task/{kept['id']}"),
        ]
        await asyncio.sleep(2.1)  # figures are shared for two seconds
        assert value(await scraped(place.client, "/order/metrics"), "slipring_without_deadline", kind="open") == 0
        await place.running.start()
        await until(lambda: mended(place, lost["id"]))
        health = await place.running.engine.health()
        assert health["checks"]["deadline:mended"][0]["observedValue"] == 1
        assert health["status"] == "warn"
        assert (await place.ask("GET", f"Task/{over['id']}")).json()["meta"]["versionId"] == "1"


async def mended(place: Place, task: str) -> bool:
    answer = await place.ask("GET", f"Task/{task}")
    return bool(answer.json()["status"] == "completed")
