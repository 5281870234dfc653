"""Copies that nothing follows from share a commit; those before and after one with consequences keep their order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.delivery.arriving import Arrived, take
from slipring.fhir.service import Ahead, Arrival, Changes, Desk, Due, Follows, Keeps, Save, Service, Wake

from tests.fhir.place import Place, a_task, opened

_ABOUT = {"focus": {"reference": "ServiceRequest/o-1"}}


def ahead(arrival: Arrival) -> Ahead:
    """What else is about the same."""
    return Ahead(queries=[_others(arrival.resource)])


async def noted(arrival: Arrival, desk: Desk) -> Changes:
    """A task that says so gets an issue that tells how many tasks are about the same by now."""
    if arrival.resource.get("description") == "hard":
        raise ZeroDivisionError
    known = len(await desk.search(_others(arrival.resource)))
    if arrival.resource.get("description") not in ("act", "arm"):
        return Changes.none()
    if arrival.resource["description"] == "arm":
        return Changes(wake=[Wake("look", arrival.reference, key=f"look:{arrival.reference}")])
    issue = {"resourceType": "DetectedIssue", "id": desk.new_id(), "status": "final", "detail": str(known)}
    return Changes(save=[Save(issue)], keys=[f"noted:{arrival.reference}"])


async def looked(due: Due, desk: Desk) -> Changes:
    """Nothing more."""
    return Changes.none()


def _others(task: dict[str, Any]) -> str:
    return f"Task?focus={task['focus']['reference']}"


@pytest.fixture
async def report(data_dir: Path) -> AsyncIterator[Place]:
    follows = [Follows("order", "Task", then=noted, ahead=ahead)]
    service = Service("report", "r", "y", keeps=[Keeps("DetectedIssue")], follows=follows, timers={"look": looked})
    async with opened(data_dir, service) as street:
        yield street["report"]


def told(number: int, description: str = "", version: int = 1, *, deleted: bool = False) -> Arrived:
    said = {"description": description} if description else {}
    return Arrived({**a_task(**_ABOUT, **said), "id": f"o-{number}"}, "", version, deleted)


async def copies(report: Place) -> dict[str, int]:
    found = await report.rows("SELECT id, version FROM resource WHERE source = 'order' AND NOT deleted")
    return {row["id"]: row["version"] for row in found}


async def issues(report: Place) -> list[int]:
    return sorted(int(issue["detail"]) for issue in await report.found("DetectedIssue"))


async def test_fifty_without_consequence_cost_what_one_does(report: Place) -> None:
    await take(report.running.kernel, "order", [told(0)])
    before = _statements(report)
    await take(report.running.kernel, "order", [told(n) for n in range(1, 51)])
    assert _statements(report) - before < 12
    assert len(await copies(report)) == 51
    assert len(await report.rows("SELECT 1 FROM version")) == 51


async def test_what_fifty_only_arm_is_armed_in_one_commit_with_them(report: Place) -> None:
    """So that whatever came at once is dealt with in order of urgency, and not in that of its coming."""
    kernel = report.running.kernel
    await take(kernel, "order", [told(n, "arm") for n in range(50)])
    assert len(await copies(report)) == 50
    [one] = await report.rows("SELECT count(*) AS armed, count(DISTINCT xmin::text) AS commits FROM timer")
    assert (one["armed"], one["commits"]) == (50, 1)
    await take(kernel, "order", [told(n, said) for n, said in ((50, "arm"), (51, "hard"), (52, "act"), (53, "arm"))])
    assert await issues(report) == [53]
    armed = await report.rows("SELECT subject FROM timer WHERE name = 'look' ORDER BY id DESC LIMIT 2")
    assert [row["subject"] for row in armed] == ["Task/o-53", "Task/o-50"]


async def test_many_with_consequences_cost_no_more_than_each_by_itself(report: Place) -> None:
    kernel = report.running.kernel
    before = _statements(report)
    for n in range(30):
        await take(kernel, "order", [told(n, "act")])
    alone, before = _statements(report) - before, _statements(report)
    await take(kernel, "order", [told(n, "act") for n in range(30, 60)])
    assert _statements(report) - before <= alone * 1.2
    assert len(await report.rows("SELECT 1 FROM resource WHERE type = 'DetectedIssue'")) == 60


async def test_what_fails_at_the_end_of_many_keeps_none_of_them_back(report: Place) -> None:
    kernel = report.running.kernel
    await take(kernel, "order", [told(0)])
    before = _statements(report)
    await take(kernel, "order", [*(told(n) for n in range(1, 50)), told(50, "hard")])
    assert _statements(report) - before < 30
    assert len(await copies(report)) == 51


async def test_each_decides_as_if_it_had_come_alone(report: Place) -> None:
    """It knows those before it and none after it, whatever stands between them; what fails is owed."""
    arrived = [told(1), told(2), told(3, "act"), told(4), told(5, "hard"), told(6), told(7, "act"), told(8, "act")]
    await take(report.running.kernel, "order", arrived)
    assert await copies(report) == {f"o-{n}": 1 for n in range(1, 9)}
    assert await issues(report) == [3, 7, 8]
    owed = await report.rows("SELECT subject FROM timer WHERE kind = 'arrival'")
    assert [row["subject"] for row in owed] == ["Task/o-5"]
    held = await report.rows("SELECT b.value, r.id FROM business_key b JOIN resource r ON r.key = b.resource")
    assert len({row["id"] for row in held}) == 3  # each key is its own issue's


async def test_of_one_resource_each_version_is_decided_and_the_last_one_stays(report: Place) -> None:
    await take(report.running.kernel, "order", [told(1), told(2), told(1, "act", 2), told(1, version=3), told(2)])
    assert await copies(report) == {"o-1": 3, "o-2": 1}
    assert await issues(report) == [2]
    await take(report.running.kernel, "order", [told(3), told(1, version=2), told(2, version=2, deleted=True), told(4)])
    assert await copies(report) == {"o-1": 3, "o-3": 1, "o-4": 1}
    assert await issues(report) == [2]
    assert len(await report.rows("SELECT 1 FROM version v JOIN resource r USING (key) WHERE r.source <> ''")) == 4


async def test_what_is_owed_for_is_not_passed_over(report: Place) -> None:
    """A later version that decides pays what an earlier one owed, also in the midst of others."""
    kernel = report.running.kernel
    await take(kernel, "order", [told(1), told(2, "hard")])
    await take(kernel, "order", [told(3), told(2, "act", 2), told(4)])
    assert await issues(report) == [3]
    assert not await report.rows("SELECT 1 FROM timer WHERE kind = 'arrival'")


def _statements(report: Place) -> int:
    [metric] = report.running.kernel.meters.statements.collect()
    return int(sum(sample.value for sample in metric.samples if sample.name.endswith("_count")))
