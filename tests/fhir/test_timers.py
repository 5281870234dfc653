"""Durable timers fire once; an errand that must be repeated keeps its attempt id and says so."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from slipring.fhir.service import (
    Call,
    Changes,
    Desk,
    Due,
    Errand,
    Keeps,
    Operation,
    Parameter,
    Service,
    Wake,
    successor,
)

from tests.fhir.place import Place, Resource, a_task, opened, until


class Engine:
    """A service with one timer and one errand, and what they were told."""

    def __init__(self) -> None:
        self.fired: list[Due] = []
        self.sent: list[Errand] = []
        self.failures = 0
        self.collide: Place | None = None
        self.begun = asyncio.Event()
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def arm(self, call: Call, desk: Desk) -> Changes:
        assert call.target is not None
        subject = call.target.reference
        name, seconds = call.value("name"), float(call.value("seconds") or 0)
        urgency = int(call.value("urgency") or 0)
        return Changes(wake=[Wake(name, subject, timedelta(seconds=seconds), f"{name}:{subject}", urgency=urgency)])

    async def disarm(self, call: Call, desk: Desk) -> Changes:
        assert call.target is not None
        return Changes(cancel=[f"ring:{call.target.reference}"])

    async def ring(self, due: Due, desk: Desk) -> Changes:
        self.fired.append(due)
        self.begun.set()
        await self.may_go_on.wait()
        task = await desk.read(due.subject)
        assert task is not None
        return Changes(save=[successor(task, status="completed")])

    async def call(self, errand: Errand, desk: Desk, client: httpx.AsyncClient) -> Changes:
        self.sent.append(errand)
        await self.may_go_on.wait()
        if self.failures:
            self.failures -= 1
            raise httpx.ConnectError("away")
        task = await desk.read(errand.subject)
        assert task is not None
        if self.collide is not None:
            place, self.collide = self.collide, None
            said = {"description": "meanwhile", "note": [{"text": "too"}]}
            await place.ask("PUT", errand.subject, task.resource | said)
        return Changes(save=[successor(task, status="completed", note=[{"text": "rung"}])])

    def service(self) -> Service:
        parameters = (
            Parameter("name", "string", min=1),
            Parameter("seconds", "decimal"),
            Parameter("urgency", "integer"),
        )
        return Service(
            "order",
            "o",
            "x",
            keeps=[Keeps("Task")],
            operations=[
                Operation("Task", "arm", self.arm, parameters=parameters),
                Operation("Task", "disarm", self.disarm),
            ],
            timers={"ring": self.ring},
            errands={"call": self.call},
        )


async def arm(place: Place, task: Resource, name: str, seconds: float = 0, urgency: int = 0) -> None:
    told: list[Resource] = [{"name": "name", "valueString": name}, {"name": "seconds", "valueDecimal": seconds}]
    told.append({"name": "urgency", "valueInteger": urgency})
    body = {"resourceType": "Parameters", "parameter": told}
    answer = await place.ask("POST", f"Task/{task['id']}/$arm", body)
    assert answer.status_code == 200, answer.text


async def done(place: Place, number: int) -> bool:
    return len(await place.found("Task?status=completed&_count=100")) >= number


async def are(begun: Sequence[Due | Errand], number: int) -> bool:
    return len(begun) >= number


async def test_timers_fire_once_with_two_workers(data_dir: Path) -> None:
    engine = Engine()
    around = {"schema_prefix": "timers_two_"}
    async with opened(data_dir, engine.service(), **around) as one, opened(data_dir, engine.service(), **around) as two:
        place = one["order"]
        for running in (one, two):
            await running["order"].running.start()
        tasks = [await place.make(a_task()) for _ in range(20)]
        await asyncio.gather(*(arm(place, task, "ring", 0.1) for task in tasks))
        await until(lambda: done(place, 20))
        await asyncio.sleep(0.5)
        assert Counter(due.subject for due in engine.fired) == {f"Task/{task['id']}": 1 for task in tasks}
        assert not await place.rows("SELECT 1 FROM timer")


async def test_of_all_that_is_due_the_most_urgent_goes_first_however_long_the_other_waits(data_dir: Path) -> None:
    """What an outage left behind is caught up in order of urgency, and a few at a time."""
    engine = Engine()
    async with opened(data_dir, engine.service(), schema_prefix="timers_urgent_") as street:
        place = street["order"]
        tasks = [await place.make(a_task()) for _ in range(130)]
        for number, task in enumerate(tasks):
            await arm(place, task, "ring", urgency=2 if number < 120 else 0)
        engine.may_go_on.clear()
        await place.running.worker.timers.step()
        await until(lambda: are(engine.fired, 16), 30)
        assert len(engine.fired) == 16, "no more begin than can be decided at once"
        urgent = {f"Task/{task['id']}" for task in tasks[120:]}
        assert {due.subject for due in engine.fired[:10]} == urgent
        engine.may_go_on.set()
        await place.running.start()
        await until(lambda: done(place, 100), 30)


@pytest.mark.parametrize(("name", "others"), [("ring", 12), ("call", 48)])
async def test_what_is_urgent_begins_at_once_though_everything_less_urgent_hangs(
    data_dir: Path, name: str, others: int
) -> None:
    engine = Engine()
    engine.may_go_on.clear()
    async with opened(data_dir, engine.service(), schema_prefix=f"timers_hang_{name}_") as street:
        place = street["order"]
        tasks = [await place.make(a_task()) for _ in range(others + 4)]
        for task in tasks:
            await arm(place, task, name, urgency=1)
        begun = engine.fired if name == "ring" else engine.sent
        await place.running.start()

        await until(lambda: are(begun, others), 30)
        urgent = await place.make(a_task())
        await arm(place, urgent, name)
        await until(lambda: are(begun, others + 1), 30)
        assert begun[others].subject == f"Task/{urgent['id']}"
        assert len(begun) == others + 1, "of the less urgent no more begin than leave room"
        engine.may_go_on.set()
        await until(lambda: done(place, others + 5), 30)


async def test_a_cancelled_timer_never_fires_and_one_armed_again_fires_at_its_new_time(data_dir: Path) -> None:
    engine = Engine()
    async with opened(data_dir, engine.service()) as street:
        place = street["order"]
        quiet, late = await place.make(a_task()), await place.make(a_task())
        await arm(place, quiet, "ring", 0.2)
        await arm(place, late, "ring", 0.1)
        await arm(place, late, "ring", 60)
        await place.ask("POST", f"Task/{quiet['id']}/$disarm")
        await place.running.start()
        await asyncio.sleep(0.8)
        assert engine.fired == []
        assert len(await place.rows("SELECT 1 FROM timer")) == 1


async def test_one_armed_again_while_it_runs_is_decided_anew_without_waiting_for_the_next_look(data_dir: Path) -> None:
    engine = Engine()
    engine.may_go_on.clear()
    async with opened(data_dir, engine.service()) as street:
        place = street["order"]
        timers, armed = place.running.worker.timers, place.running.kernel.store.armed
        task = await place.make(a_task())
        await arm(place, task, "ring")
        await timers.step()
        await engine.begun.wait()
        await arm(place, task, "ring")
        armed.clear()
        engine.may_go_on.set()
        await timers.settle()
        await until_set(armed)
        assert (await place.ask("GET", f"Task/{task['id']}")).json()["status"] == "requested"
        await timers.step()
        await timers.settle()
        assert len(engine.fired) == 2
        stored = (await place.ask("GET", f"Task/{task['id']}")).json()
        assert (stored["status"], stored["meta"]["versionId"]) == ("completed", "2")
        assert not await place.rows("SELECT 1 FROM timer")


async def until_set(event: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await event.wait()


async def test_an_errand_that_fails_is_repeated_under_the_same_attempt_id_and_marked(data_dir: Path) -> None:
    engine = Engine()
    engine.failures = 1
    async with opened(data_dir, engine.service()) as street:
        place = street["order"]
        await place.running.start()
        await arm(place, await place.make(a_task()), "call")
        await until(lambda: done(place, 1))
    assert [(errand.repeat, errand.attempts) for errand in engine.sent] == [(False, 1), (True, 2)]
    assert len({errand.attempt_id for errand in engine.sent}) == 1


async def test_an_errand_whose_worker_died_is_taken_over_marked_as_a_repeat(data_dir: Path) -> None:
    engine = Engine()
    async with opened(data_dir, engine.service()) as street:
        place = street["order"]
        task = await place.make(a_task())
        await arm(place, task, "call")
        # What a killed worker leaves: a lease in the name of a lock that nobody holds any more.
        await place.pool.execute(
            "UPDATE timer SET worker = 42, attempts = 1, fence = fence + 1, lease_until = clock_timestamp() + interval '10 s'"
        )
        await place.running.start()
        await until(lambda: done(place, 1), 2)
    assert [errand.repeat for errand in engine.sent] == [True]


async def test_what_was_sent_is_recorded_though_its_subject_changed_and_not_sent_again(data_dir: Path) -> None:
    engine = Engine()
    async with opened(data_dir, engine.service()) as street:
        place = engine.collide = street["order"]
        task = await place.make(a_task())
        await place.running.start()
        await arm(place, task, "call")
        await until(lambda: done(place, 1))
        stored = (await place.ask("GET", f"Task/{task['id']}")).json()
        assert (stored["status"], stored["description"], stored["meta"]["versionId"]) == ("completed", "meanwhile", "3")
        assert [one["text"] for one in stored["note"]] == ["too", "rung"], "nor is what others said of it lost"
    assert len(engine.sent) == 1
