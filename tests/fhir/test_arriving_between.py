"""Two versions of a followed resource are dealt with at once: what follows from them follows once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from slipring.fhir.delivery.arriving import Arrived, take
from slipring.fhir.service import Arrival, Changes, Desk, Follows, Keeps, Save, Service

from tests.fhir.place import Place, a_task, opened, until


@dataclass
class Watched:
    """A handler that makes an issue for a resource it did not know, and stands still over its second version once."""

    fails: bool = False
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def then(self, arrival: Arrival, desk: Desk) -> Changes:
        if self.fails:
            raise ZeroDivisionError
        if arrival.version > 1 and not self.begun.is_set():
            self.begun.set()
            await self.goes_on.wait()
        if arrival.before is not None:
            return Changes.none()
        issue = {"resourceType": "DetectedIssue", "id": desk.new_id(), "status": "final"}
        return Changes(save=[Save(issue)])


@pytest.fixture
def watched() -> Watched:
    return Watched()


@pytest.fixture
async def report(data_dir: Path, watched: Watched) -> AsyncIterator[Place]:
    follows = [Follows("order", "Task", then=watched.then)]
    async with opened(data_dir, Service("report", "r", "y", keeps=[Keeps("DetectedIssue")], follows=follows)) as street:
        yield street["report"]


def version(number: int) -> Arrived:
    return Arrived({**a_task(), "id": "o-1"}, "", number)


async def test_the_snapshot_may_bring_the_second_while_the_lane_brings_the_first(
    report: Place, watched: Watched
) -> None:
    second = asyncio.create_task(take(report.running.kernel, "order", [version(2)]))
    await watched.begun.wait()
    await take(report.running.kernel, "order", [version(1)])
    watched.goes_on.set()
    await second
    assert await issues_and_copy(report) == (1, 2)


async def test_what_is_owed_for_the_first_may_be_paid_while_the_second_arrives(report: Place, watched: Watched) -> None:
    watched.fails = True
    await take(report.running.kernel, "order", [version(1)])
    watched.fails = False
    second = asyncio.create_task(take(report.running.kernel, "order", [version(2)]))
    await watched.begun.wait()

    async def paid() -> bool:
        await report.running.worker.timers.step()
        return await issues_and_copy(report) == (1, 1)

    await until(paid, 30)
    watched.goes_on.set()
    await second
    assert await issues_and_copy(report) == (1, 2)


async def issues_and_copy(report: Place) -> tuple[int, int]:
    [copy] = await report.rows("SELECT version FROM resource WHERE id = 'o-1'")
    return len(await report.found("DetectedIssue")), copy["version"]
