"""An errand that is disarmed while it prepares to send learns of it in time, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from slipring.fhir.service import Call, Changes, Desk, Errand, Keeps, Operation, Service, Wake, successor

from tests.fhir.place import a_task, opened, until


async def test_what_is_disarmed_just_before_it_sends_is_not_sent(data_dir: Path) -> None:
    begun, goes_on, stood = asyncio.Event(), asyncio.Event(), []

    async def arm(call: Call, desk: Desk) -> Changes:
        assert call.target is not None
        return Changes(wake=[Wake("word", call.target.reference, key="word")])

    async def disarm(call: Call, desk: Desk) -> Changes:
        return Changes(cancel=["word"])

    async def word(errand: Errand, desk: Desk, http: httpx.AsyncClient) -> Changes:
        stood.append(await errand.stands())
        begun.set()
        await goes_on.wait()
        stood.append(await errand.stands())
        return Changes.none()

    operations = [Operation("Task", "arm", arm), Operation("Task", "disarm", disarm)]
    service = Service("order", "o", "x", keeps=[Keeps("Task")], operations=operations, errands={"word": word})
    async with opened(data_dir, service) as street:
        place = street["order"]
        task = await place.make(a_task())
        await place.running.start()
        assert (await place.ask("POST", f"Task/{task['id']}/$arm")).status_code == 200
        async with asyncio.timeout(30):
            await begun.wait()
        assert (await place.ask("POST", f"Task/{task['id']}/$disarm")).status_code == 200
        goes_on.set()

        async def both() -> bool:
            return len(stood) == 2

        await until(both, 30)
        assert stood == [True, False]
        assert not await place.rows("SELECT 1 FROM timer")


async def test_what_was_taken_while_it_was_disarmed_is_on_record_as_what_stands_then_tells(data_dir: Path) -> None:
    taken, goes_on = asyncio.Event(), asyncio.Event()

    async def arm(call: Call, desk: Desk) -> Changes:
        assert call.target is not None
        return Changes(wake=[Wake("word", call.target.reference, key="word")])

    async def disarm(call: Call, desk: Desk) -> Changes:
        assert call.target is not None
        return Changes(save=[successor(call.target, status="cancelled")], cancel=["word"])

    async def word(errand: Errand, desk: Desk, http: httpx.AsyncClient) -> Changes:
        task = await desk.read(errand.subject)
        assert task is not None
        taken.set()
        await goes_on.wait()

        async def all_the_same(later: Desk) -> Changes:
            standing = await later.read(errand.subject)
            assert standing is not None
            return Changes(save=[successor(standing, description=f"said, though {standing.resource['status']}")])

        return Changes(save=[successor(task, status="completed")], if_disarmed=all_the_same)

    operations = [Operation("Task", "arm", arm), Operation("Task", "disarm", disarm)]
    service = Service("order", "o", "x", keeps=[Keeps("Task")], operations=operations, errands={"word": word})
    async with opened(data_dir, service) as street:
        place = street["order"]
        task = await place.make(a_task())
        await place.running.start()
        assert (await place.ask("POST", f"Task/{task['id']}/$arm")).status_code == 200
        async with asyncio.timeout(30):
            await taken.wait()
        assert (await place.ask("POST", f"Task/{task['id']}/$disarm")).status_code == 200
        goes_on.set()

        async def told() -> bool:
            return "description" in (await place.ask("GET", f"Task/{task['id']}")).json()

        await until(told, 30)
        stored = (await place.ask("GET", f"Task/{task['id']}")).json()
        assert (stored["status"], stored["description"]) == ("cancelled", "said, though cancelled")
        assert not await place.rows("SELECT 1 FROM timer")
