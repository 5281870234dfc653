"""Old events go by the month once they are delivered; what waits, was parked or is young stays, and numbers go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.delivery.tidying import Tidying
from slipring.fhir.store.partitions import EVENTS, make_ahead

from tests.fhir.conftest import small_service
from tests.fhir.place import Place, a_task, opened

LONG_AGO = datetime(2021, 3, 14, 15, tzinfo=UTC)
LATER = datetime(2021, 4, 2, tzinfo=UTC)


@pytest.fixture
async def place(data_dir: Path) -> AsyncIterator[Place]:
    async with opened(data_dir, small_service(), event_days=30) as street:
        yield street["order"]


async def old_months(place: Place) -> None:
    """The partitions that a program running then had made."""
    for table in EVENTS:
        for low, high in (("2021-03-01", "2021-04-01"), ("2021-04-01", "2021-05-01")):
            await place.pool.execute(
                f"CREATE TABLE {table.table}_{low[:7].replace('-', '_')} PARTITION OF {table.table} "
                f"FOR VALUES FROM ('{low}T00:00:00Z') TO ('{high}T00:00:00Z')"
            )


async def parts(place: Place, table: str) -> set[str]:
    rows = await place.rows(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::text::regclass", table
    )
    return {row["name"] for row in rows}


async def lane(place: Place, name: str, status: str = "active", last: int = 9) -> None:
    await place.pool.execute(
        "INSERT INTO subscription (id, criteria, endpoint, payload, headers, status, last_number) "
        "VALUES ($1, 'Task', 'http://x', '', '{}', $2, $3)",
        name,
        status,
        last,
    )


async def event(place: Place, lane: str, number: int, state: str, at: datetime) -> None:
    await place.pool.execute(
        "INSERT INTO delivery (subscription, number, key, type, resource_id, version, method, event_at, attempt_id, state, "
        "delivered_at) VALUES ($1, $2, 1, 'Task', 'x', 1, 'POST', $3::timestamptz, '', $4::text, "
        "CASE $4::text WHEN 'waiting' THEN NULL ELSE $3 END)",
        lane,
        number,
        at,
        state,
    )


async def tidy(place: Place) -> None:
    tidying = Tidying(place.running.kernel)
    while await tidying.step():
        pass


async def left(place: Place) -> list[Any]:
    return [
        (row["number"], row["state"]) for row in await place.rows("SELECT number, state FROM delivery ORDER BY number")
    ]


async def test_a_month_goes_when_nothing_in_it_is_open_and_the_rest_stays(place: Place) -> None:
    await old_months(place)
    for _ in range(4):
        await place.make(a_task())
    await place.pool.execute(
        "UPDATE outbox SET created_at = $1, fanned_out = true WHERE id <> (SELECT max(id) FROM outbox)", LONG_AGO
    )
    await lane(place, "s")
    for number, state, at in (
        (1, "delivered", LONG_AGO),
        (2, "parked", LATER),
        (3, "delivered", LATER),
        (4, "waiting", LATER),
    ):
        await event(place, "s", number, state, at)
    await event(place, "s", 5, "delivered", datetime.now(UTC))
    await tidy(place)
    assert [row["fanned_out"] for row in await place.rows("SELECT fanned_out FROM outbox")] == [False]
    assert await left(place) == [(2, "parked"), (4, "waiting"), (5, "delivered")]
    assert "delivery_2021_03" not in await parts(place, "delivery")
    assert "delivery_2021_04" in await parts(place, "delivery")
    assert not any("2021" in name for name in await parts(place, "outbox"))
    assert len(await place.found("Task?_count=50")) == 4
    await place.pool.execute("UPDATE delivery SET state = 'delivered' WHERE event_at < '2022-01-01'")
    await tidy(place)
    assert not any("2021" in name for name in await parts(place, "delivery"))


async def test_what_waits_for_a_subscription_that_is_off_is_given_up_with_its_month(place: Place) -> None:
    await old_months(place)
    await lane(place, "off", "off")
    await lane(place, "on")
    await event(place, "off", 9, "waiting", LONG_AGO)
    await event(place, "on", 9, "waiting", LATER)
    await tidy(place)
    rows = await place.rows("SELECT id, delivered_number FROM subscription ORDER BY id")
    assert [(row["id"], row["delivered_number"]) for row in rows] == [("off", 9), ("on", 0)]
    assert await left(place) == [(9, "waiting")]


async def test_this_month_and_the_two_to_come_are_there_and_a_lacking_one_takes_its_rows_back(place: Place) -> None:
    now = (await place.rows("SELECT clock_timestamp() AS now"))[0]["now"].astimezone(UTC)
    name = f"outbox_{now:%Y_%m}"
    await place.make(a_task())
    assert len(await parts(place, "outbox")) == 4
    await place.pool.execute(f"ALTER TABLE outbox DETACH PARTITION {name}; DROP TABLE {name}")
    kept = await place.make(a_task())  # falls into the net
    assert [row["resource_id"] for row in await place.rows("SELECT resource_id FROM outbox_default")] == [kept["id"]]
    assert await make_ahead(place.pool, place.running.kernel.store.schema) == [name]
    assert [row["resource_id"] for row in await place.rows(f"SELECT resource_id FROM {name}")] == [kept["id"]]
    assert not await place.rows("SELECT 1 FROM outbox_default")
    indexes = await place.rows(
        "SELECT indexname FROM pg_indexes WHERE tablename = $1 AND schemaname = current_schema()", name
    )
    assert len(indexes) == 2
    again = await place.make(a_task())
    assert again["id"] in {row["resource_id"] for row in await place.rows(f"SELECT resource_id FROM {name}")}


async def test_old_rows_in_the_net_go_one_by_one(place: Place) -> None:
    await lane(place, "s")
    await event(place, "s", 1, "delivered", LONG_AGO)
    await event(place, "s", 2, "parked", LONG_AGO)
    await event(place, "s", 3, "delivered", datetime.now(UTC) - timedelta(minutes=1))
    await tidy(place)
    assert await left(place) == [(2, "parked"), (3, "delivered")]


async def test_a_month_that_somebody_reads_is_left_and_nobody_waits_for_it(place: Place) -> None:
    """A dump holds what it reads until it is done: dropping waits a moment, then leaves it, and writes go on."""
    await old_months(place)
    async with place.pool.acquire() as reader, reader.transaction():
        await reader.fetch("SELECT * FROM delivery")
        await tidy(place)
        assert "delivery_2021_03" in await parts(place, "delivery")
        await place.make(a_task())
    await tidy(place)
    assert "delivery_2021_03" not in await parts(place, "delivery")
