"""Old events go once they are delivered; what waits, was parked or is young stays, and numbers go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from slipring.fhir.delivery.tidying import Tidying

from tests.fhir.conftest import small_service
from tests.fhir.place import Place, a_task, opened


@pytest.fixture
async def place(data_dir: Path) -> AsyncIterator[Place]:
    async with opened(data_dir, small_service(), event_days=30) as street:
        yield street["order"]


async def test_what_was_fanned_out_and_delivered_long_ago_goes_and_the_rest_stays(place: Place) -> None:
    for _ in range(4):
        await place.make(a_task())
    old = "clock_timestamp() - interval '31 days'"
    await place.pool.execute(f"UPDATE outbox SET created_at = {old}")
    await place.pool.execute("UPDATE outbox SET fanned_out = true WHERE id <> (SELECT max(id) FROM outbox)")
    await place.pool.execute(
        "INSERT INTO subscription (id, criteria, endpoint, payload, headers, status) VALUES ('s', 'Task', 'http://x', '', '{}', 'active')"
    )
    for number, state, at in (
        (1, "delivered", old),
        (2, "parked", old),
        (3, "waiting", "NULL"),
        (4, "delivered", "clock_timestamp()"),
    ):
        await place.pool.execute(
            "INSERT INTO delivery (subscription, number, key, type, resource_id, version, method, event_at, attempt_id, "
            "state, delivered_at) "
            f"VALUES ('s', $1, 1, 'Task', 'x', 1, 'POST', {old}, '', $2, {at})",
            number,
            state,
        )
    tidying = Tidying(place.running.kernel)
    while await tidying.step():
        pass
    assert [row["fanned_out"] for row in await place.rows("SELECT fanned_out FROM outbox")] == [False]
    left = await place.rows("SELECT number, state FROM delivery ORDER BY number")
    assert [(row["number"], row["state"]) for row in left] == [(2, "parked"), (3, "waiting"), (4, "delivered")]
    assert len(await place.found("Task?_count=50")) == 4
