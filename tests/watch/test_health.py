"""`/health/engine`: whether what a service does without being asked is done, for probes, people and an outside watchman."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from slipring.watch.figures import Figures, Lane
from slipring.watch.heartbeat import Heartbeat
from slipring.watch.verdict import Status, checks, worst

from tests.fhir.conftest import small_service
from tests.fhir.place import Place, a_task, opened
from tests.support.department import Department

QUIET = Figures(0, 0.0, 0, 0, 0.0, 0, (), {}, {}, {})
LATE = (
    "INSERT INTO timer (kind, name, subject, timer_key, due_at, payload, attempt_id) "
    "VALUES ('timer', 'x', '', '', now() - interval '1 hour', '{}', 'a')"
)


def lane(**members: Any) -> Lane:
    told = {"internal": False, "status": "active", "failures": 0, "error": "", "waiting": 0, "oldest_seconds": 0.0}
    return Lane(**{"id": "s1", "parked": 0, **told, **members})


@pytest.mark.parametrize(
    ("members", "silent", "verdict"),
    [
        ({}, {"events": 1.0, "tidying": 500.0}, Status.PASS),
        ({"timer_oldest_seconds": 6.0}, {}, Status.WARN),
        ({"timer_oldest_seconds": 31.0}, {}, Status.FAIL),
        ({"unsealed_oldest_seconds": 301.0}, {}, Status.FAIL),
        ({"outbox_oldest_seconds": 61.0}, {}, Status.FAIL),
        ({}, {"events": 61.0}, Status.FAIL),
        ({}, {"tidying": 61.0}, Status.PASS),
        ({"lanes": (lane(oldest_seconds=1e6),)}, {}, Status.WARN),
        ({"lanes": (lane(status="error"),)}, {}, Status.WARN),
        ({"lanes": (lane(parked=1),)}, {}, Status.WARN),
        ({"follows": {"order": 16.0}}, {}, Status.WARN),
        ({"follows": {"order": None}}, {}, Status.WARN),
        ({"alarms": {"handovers_overdue": 1}}, {}, Status.WARN),
        ({"alarms": {"handovers_overdue": 0}}, {}, Status.PASS),
        ({"without_deadline": {"open-case": 1}}, {}, Status.FAIL),
    ],
)
def test_a_subscriber_that_is_away_is_a_warning_and_work_that_is_not_done_a_failure(
    members: dict[str, Any], silent: dict[str, float], verdict: Status
) -> None:
    figures = Figures(**{**{f: getattr(QUIET, f) for f in QUIET.__slots__}, **members})
    assert worst(check.status for check in checks(figures, silent)) is verdict


async def test_a_house_is_not_ready_before_all_of_it_runs(department: Department) -> None:
    assert (await department.his.get("/health/ready")).status_code == 200
    department.house.starting = True
    try:
        for path in ("/health/ready", "/order/health/ready"):
            answer = await department.his.get(path)
            assert (answer.status_code, answer.json()) == (503, {"status": "starting"})
    finally:
        department.house.starting = False


async def test_the_front_shows_the_engine_of_every_service_and_the_worst_of_them(department: Department) -> None:
    async def healthy() -> bool:
        answer = await department.his.get("/health/engine")
        return answer.status_code == 200 and answer.json()["status"] == "pass"

    for _ in range(100):  # copies are dated by the first pulses
        await department.settle()
        if await healthy():
            break
        await asyncio.sleep(0.1)
    answer = await department.his.get("/health/engine")
    assert answer.headers["content-type"] == "application/health+json"
    assert set(answer.json()["services"]) == {"order", "consent", "report", "critical"}
    critical = answer.json()["services"]["critical"]
    assert {check["componentId"] for check in critical["checks"]["worker:lastTurn"]} >= {"timers", "events", "follow"}
    assert {check["componentId"] for check in critical["checks"]["follow:age"]} == {"order", "report", "consent"}
    missing = {check["componentId"]: check["observedValue"] for check in critical["checks"]["deadline:missing"]}
    assert missing == {"open-case": 0, "roster": 0, "route": 0}


@pytest.mark.parametrize("path", ["/health/engine", "/order/health/engine"])
async def test_a_stranger_sees_the_numbers_and_not_the_checks(department: Department, path: str) -> None:
    transport = httpx.ASGITransport(app=department.house, client=("10.1.2.3", 4))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8100") as stranger:
        answer = await stranger.get(path)
    assert answer.json()["status"] in ("pass", "warn")
    assert "checks" not in answer.text


@asynccontextmanager
async def standing_still(data_dir: Path) -> AsyncIterator[Place]:
    """A service whose worker was never started."""
    async with opened(data_dir, small_service(), pool_size=3) as street:
        yield street["order"]


async def test_work_that_is_not_done_is_503_with_its_age(data_dir: Path) -> None:
    async with standing_still(data_dir) as place:
        await place.pool.execute(LATE)
        answer = await place.client.get("/order/health/engine")
        assert (answer.status_code, answer.json()["status"]) == (503, "fail")
        assert answer.json()["oldest_due_timer_seconds"] >= 3600
        assert answer.json()["checks"]["timers:oldestDue"][0]["status"] == "fail"
        assert (await place.client.get("/order/health/live")).status_code == 200


async def test_without_the_database_the_engine_fails_within_a_bounded_time_and_comes_back(data_dir: Path) -> None:
    async with standing_still(data_dir) as place:
        taken = [await place.pool.acquire() for _ in range(3)]
        try:
            async with asyncio.timeout(10):
                answer = await place.client.get("/order/health/engine")
        finally:
            for connection in taken:
                await place.pool.release(connection)
        assert (answer.status_code, answer.json()["output"]) == (503, "no database")
        assert (await place.client.get("/order/health/engine")).status_code == 200


async def test_the_heart_beats_only_while_the_engine_works(data_dir: Path) -> None:
    beats: list[str] = []

    async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        beats.append((await reader.readline()).decode())
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(taken, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ping/secret"
    async with server, standing_still(data_dir) as place:
        heart = Heartbeat(url, 60, [place.running.engine.health])
        await place.make(a_task())
        assert await heart.beat()
        assert beats == ["GET /ping/secret HTTP/1.1\r\n"]
        await place.pool.execute(LATE)
        await asyncio.sleep(2.1)  # figures are shared for two seconds
        assert not await heart.beat()
        await place.pool.execute("DELETE FROM timer")
        await asyncio.sleep(2.1)
        assert await heart.beat()
        assert len(beats) == 2
