"""Locks that are held, connections that run out, sessions that are ended: 503 with Retry-After, never 500, never for ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from slipring.runtime.postgres import ensure_running

from tests.fhir.conftest import small_service
from tests.fhir.place import Place, a_bundle, a_patient, a_task, opened

_SMALL = 4


@pytest.fixture
async def place(data_dir: Path) -> AsyncIterator[Place]:
    """A small service with few connections."""
    async with opened(data_dir, small_service(), pool_size=_SMALL) as street:
        yield street["order"]


@pytest.fixture
async def operator(data_dir: Path, place: Place) -> AsyncIterator[Any]:
    """A connection of the database's operator, in the service's schema."""
    schema = place.running.kernel.store.schema
    connection = await asyncpg.connect(ensure_running(data_dir), server_settings={"search_path": schema})
    yield connection
    await connection.close()


def _told_to_come_again(answer: httpx.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.json()["issue"][0]["code"] == "transient"


async def test_a_row_held_by_another_is_503_within_a_bounded_time(place: Place, operator: Any) -> None:
    """All wait for the row, all are told, none hangs, and afterwards all goes on."""
    task = await place.make(a_task())
    change = {**task, "status": "accepted"}
    async with operator.transaction():
        await operator.execute("SELECT 1 FROM resource WHERE id = $1 FOR UPDATE", task["id"])
        begun = time.monotonic()
        for answer in await asyncio.gather(*(place.ask("PUT", f"Task/{task['id']}", change) for _ in range(_SMALL))):
            _told_to_come_again(answer)
    assert time.monotonic() - begun < 45  # PostgreSQL counts its lock_timeout once in the queue and once at its head
    assert (await place.ask("PUT", f"Task/{task['id']}", change)).status_code == 200
    assert len((await place.ask("GET", f"Task/{task['id']}/_history")).json()["entry"]) == 2


async def test_without_a_free_connection_a_request_is_told_so_within_a_bounded_time(place: Place) -> None:
    async with AsyncExitStack() as taken:
        for _ in range(_SMALL):
            await taken.enter_async_context(place.pool.acquire())
        begun = time.monotonic()
        for answer in await asyncio.gather(*(place.ask("POST", "Patient", a_patient()) for _ in range(3))):
            _told_to_come_again(answer)
        assert time.monotonic() - begun < 45
    assert (await place.ask("POST", "Patient", a_patient())).status_code == 201


async def test_sessions_ended_by_the_operator_cost_no_request_more_than_a_repeat(place: Place, operator: Any) -> None:
    """Every connection of the service is ended again and again under load: 2xx or 503, and each 2xx is stored."""
    done = asyncio.Event()
    answers: list[httpx.Response] = []

    async def writer(number: int) -> None:
        count = 0
        while not done.is_set():
            count += 1
            name = f"Ended-{number}-{count}"
            answers.append(await place.ask("POST", "Patient", a_patient(name=[{"family": name}])))

    writers = [asyncio.create_task(writer(number)) for number in range(6)]
    name = f"slipring {place.running.kernel.store.schema}"
    for _ in range(12):
        await asyncio.sleep(0.25)
        await operator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", name
        )
    done.set()
    await asyncio.gather(*writers)
    assert {answer.status_code for answer in answers} <= {201, 503}, {a.text for a in answers if a.status_code >= 500}
    kept = [answer.json()["id"] for answer in answers if answer.status_code == 201]
    assert len(kept) > 20
    stored = {row["id"] for row in await place.rows("SELECT id FROM resource WHERE type = 'Patient'")}
    assert set(kept) <= stored
    assert len(stored) <= len(answers)


async def test_transactions_that_meet_crosswise_all_end_well(place: Place) -> None:
    """Two resources changed in both orders by many at once: 200, or asked to come again; versions follow without a gap."""
    one, two = await place.make(a_task()), await place.make(a_task())

    async def change(first: Any, second: Any) -> int:
        entries = [("PUT", f"Task/{each['id']}", {**each, "status": "accepted"}) for each in (first, second)]
        return (await place.ask("POST", "", a_bundle("transaction", *entries))).status_code

    statuses = await asyncio.gather(*(change(*pair) for _ in range(20) for pair in ((one, two), (two, one))))
    assert set(statuses) <= {200, 503}
    versions = [
        [
            v["version"]
            for v in await place.rows(
                "SELECT v.version FROM version v JOIN resource r USING (key) WHERE r.id = $1 ORDER BY 1", each["id"]
            )
        ]
        for each in (one, two)
    ]
    assert versions[0] == versions[1] == list(range(1, statuses.count(200) + 2))


async def test_a_database_that_takes_no_writes_is_503_and_readiness_says_so(place: Place, operator: Any) -> None:
    name = await operator.fetchval("SELECT current_user")
    # What an operator does before a failover; sessions begun before must begin anew.
    await operator.execute(f"ALTER ROLE {name} IN DATABASE slipring SET default_transaction_read_only = on")
    try:
        await place.pool.expire_connections()
        _told_to_come_again(await place.ask("POST", "Patient", a_patient()))
        ready = await place.client.get("/order/health/ready")
        assert (ready.status_code, ready.json()["status"]) == (503, "the database takes no writes")
    finally:
        await operator.execute(f"ALTER ROLE {name} IN DATABASE slipring RESET default_transaction_read_only")
        await place.pool.expire_connections()
    assert (await place.ask("POST", "Patient", a_patient())).status_code == 201
    assert (await place.client.get("/order/health/ready")).status_code == 200


async def test_readiness_names_a_schema_that_is_behind_or_newer(place: Place) -> None:
    async def ready() -> tuple[int, str]:
        answer = await place.client.get("/order/health/ready")
        return answer.status_code, answer.text

    (row,) = await place.rows("SELECT version_num FROM alembic_version")
    try:
        await place.pool.execute("UPDATE alembic_version SET version_num = '0000'")
        assert (await ready())[0] == 503
        assert "behind" in (await ready())[1]
        await place.pool.execute("UPDATE alembic_version SET version_num = '9999'")
        assert (await ready())[0] == 200
        assert "newer" in (await ready())[1]
        await place.pool.execute("ALTER TABLE alembic_version RENAME TO put_away")
        assert (await ready())[0] == 503
        await place.pool.execute("ALTER TABLE put_away RENAME TO alembic_version")
    finally:
        await place.pool.execute("UPDATE alembic_version SET version_num = $1", row["version_num"])
