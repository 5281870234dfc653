"""The sealer covers every committed row exactly once, whatever the order of commits and whoever seals."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.store.batch import Audit
from slipring.fhir.store.engine import open_pool
from slipring.runtime.postgres import ensure_running
from slipring.sealing.keys import ServiceKey, published, rotate
from slipring.sealing.sealer import Sealer, Seen
from slipring.sealing.tree import leaf, packed, root, unpacked
from slipring.signing.seal_keys import known
from slipring.upkeep.audit.rows import Spans
from slipring.upkeep.audit.verify import Given, verify

from tests.audit.archive import named, run
from tests.fhir.conftest import small_service
from tests.fhir.place import Place, opened

NOW = datetime(2026, 11, 26, tzinfo=UTC)
_INSERT = (
    "INSERT INTO audit (at, client, practitioner, interaction, resource, disclosed, parameters, body_sha256, request_id, outcome, "
    "content_sha256) VALUES ($1, 'c', '', 'read', 'Patient/1/_history/1', '{}', '{}', '', 'r', 200, $2) RETURNING id"
)


@pytest.fixture
async def dsn(data_dir: Path) -> AsyncIterator[str]:
    server = ensure_running(data_dir)
    await run(server, "CREATE DATABASE sealing")
    yield named(server, "sealing")
    await run(server, "DROP DATABASE sealing WITH (FORCE)")


@pytest.fixture
async def place(data_dir: Path, dsn: str) -> AsyncIterator[Place]:
    async with opened(data_dir, small_service(), dsn=dsn, schema_prefix="") as street:
        yield street["order"]


async def row(connection: Any) -> int:
    at = datetime.now(UTC)
    told = Audit("c", "", "read", "Patient/1/_history/1", "r", 200)
    return int(await connection.fetchval(_INSERT, at, told.content_sha256(at)))


async def findings(dsn: str) -> list[str]:
    told = await verify(dsn, "", Given(sealed_within=timedelta(0)), lambda *_: None)
    return [finding.text() for report in told.schemas for finding in report.findings]


async def covered(place: Place) -> list[int]:
    seals = await place.rows("SELECT leaves FROM seal ORDER BY number")
    return [number for seal in seals for number, _ in unpacked(seal["leaves"])]


async def test_a_row_that_commits_after_later_ones_is_sealed_too(place: Place, dsn: str) -> None:
    sealer = place.running.sealer
    async with place.pool.acquire() as slow:
        begun = slow.transaction()
        await begun.start()
        early = await row(slow)
        late = await row(place.pool)
        assert early < late
        await sealer.catch_up()
        assert await covered(place) == [late]
        await begun.commit()
    await sealer.catch_up()
    assert await covered(place) == [late, early]
    assert await findings(dsn) == []


async def test_a_row_that_was_rolled_back_is_waited_for_no_longer_than_it_can_come(place: Place) -> None:
    async with place.pool.acquire() as connection:
        begun = connection.transaction()
        await begun.start()
        await row(connection)
        await begun.rollback()
    await row(place.pool)
    await place.running.sealer.catch_up()
    state = await place.pool.fetchval("SELECT value FROM mark WHERE name = 'sealing'")
    seen = Seen.read(state)
    assert len(seen.gaps) == 1
    later = seen.gaps[0].since + timedelta(minutes=1)
    assert seen.after([], later, oldest=seen.gaps[0].newest, newest=0).gaps, "a transaction of then may still be open"
    assert not seen.after([], later, oldest=seen.gaps[0].newest + 1, newest=0).gaps


async def test_many_writers_and_several_replicas_leave_one_whole_chain(place: Place, dsn: str) -> None:
    schema = place.running.kernel.store.schema
    pools = [await open_pool(dsn, schema, size=2) for _ in range(2)]
    others = [Sealer(pool, schema, ServiceKey(pool, "order")) for pool in pools]
    writing = True

    async def sealing(sealer: Sealer) -> None:
        while writing:
            await sealer.step()
            await asyncio.sleep(0.003)

    async def writes(seed: int) -> None:
        for number in range(30):
            async with place.pool.acquire() as connection:
                begun = connection.transaction()
                await begun.start()
                await row(connection)
                await asyncio.sleep(0.001 * ((seed + number) % 5))
                await (begun.rollback() if (seed * number) % 7 == 3 else begun.commit())

    tasks = [asyncio.create_task(sealing(one)) for one in (place.running.sealer, *others)]
    await asyncio.gather(*(writes(seed) for seed in range(5)))
    writing = False
    await asyncio.gather(*tasks)
    await place.running.sealer.catch_up()
    ids = await covered(place)
    assert sorted(ids) == [one["id"] for one in await place.rows("SELECT id FROM audit ORDER BY id")]
    numbers = [one["number"] for one in await place.rows("SELECT number FROM seal ORDER BY number")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert await findings(dsn) == []
    for pool in pools:
        await pool.close()


async def test_a_rotated_key_goes_on_with_the_chain_and_an_early_list_of_keys_trusts_it(place: Place, dsn: str) -> None:
    kept = known(await published(place.pool, "order"))
    for _ in range(3):
        await row(place.pool)
        await place.running.sealer.catch_up()
        async with place.pool.acquire() as connection:
            await rotate(connection, "order", "order")
    await row(place.pool)
    await place.running.sealer.catch_up()
    assert await place.pool.fetchval("SELECT count(*) FROM service_secret") == 1, "old private halves are gone"
    told = await verify(dsn, "", Given(keys=kept, sealed_within=timedelta(0)), lambda *_: None)
    assert [finding.text() for report in told.schemas for finding in report.findings] == []


async def test_what_an_older_release_wrote_is_completed_before_it_is_sealed(place: Place, dsn: str) -> None:
    made = await place.make({"resourceType": "Patient", "gender": "other"})
    await place.pool.execute("UPDATE audit SET stored_sha256 = ''")
    await place.running.sealer.catch_up()
    body = await place.pool.fetchval("SELECT body FROM version JOIN resource USING (key) WHERE id = $1", made["id"])
    kept = await place.pool.fetchval("SELECT stored_sha256 FROM audit WHERE interaction = 'create'")
    assert kept == hashlib.sha256(body.encode()).hexdigest()
    assert await findings(dsn) == []


async def test_a_chain_cut_off_under_a_running_service_shows_the_hole(place: Place, dsn: str) -> None:
    for _ in range(3):
        await row(place.pool)
        await place.running.sealer.catch_up()
    await place.pool.execute("DELETE FROM seal WHERE number = 3")
    await row(place.pool)
    await place.running.sealer.catch_up()
    assert any("seal 3" in text and "gone" in text for text in await findings(dsn))


async def test_clocks_that_were_set_back_are_named(place: Place, dsn: str) -> None:
    await row(place.pool)
    await place.running.sealer.catch_up()
    back = datetime.now(UTC) - timedelta(days=1)
    told = Audit("c", "", "read", "Patient/1/_history/1", "r", 200)
    number = await place.pool.fetchval(_INSERT, back, told.content_sha256(back))
    await place.running.sealer.catch_up()
    assert any(f"audit {number}" in text and "set back" in text for text in await findings(dsn))


@given(st.integers(1, 200))
def test_the_root_is_that_of_rfc_6962(size: int) -> None:
    leaves = [hashlib.sha256(str(number).encode()).digest() for number in range(size)]

    def recursive(part: list[bytes]) -> bytes:
        if len(part) == 1:
            return part[0]
        split = 1 << (len(part) - 1).bit_length() - 1
        return hashlib.sha256(b"\x01" + recursive(part[:split]) + recursive(part[split:])).digest()

    assert root(leaves) == recursive(leaves)
    assert list(unpacked(packed(enumerate(leaves)))) == list(enumerate(leaves))
    assert leaf(1, "a", "b") == hashlib.sha256(b"\x001 a b").digest()


@given(st.permutations(list(range(1, 40))), st.lists(st.integers(1, 6), min_size=1, max_size=40))
def test_every_id_is_looked_for_until_it_came(order: list[int], rounds: list[int]) -> None:
    """Ids commit in any order, some at a time: what came is no gap any more, what has not is one."""
    seen, came, left = Seen(), set[int](), list(order)
    for size in rounds:
        batch, left = sorted(left[:size]), left[size:]
        if not batch:
            break
        for number in batch:
            assert number > seen.top or any(gap.low <= number <= gap.high for gap in seen.gaps)
        seen = seen.after(batch, NOW, oldest=0, newest=1)
        came |= set(batch)
        missing = {number for number in range(1, seen.top + 1) if number not in came}
        assert {number for gap in seen.gaps for number in range(gap.low, gap.high + 1)} == missing
        assert Seen.read(seen.text()) == seen


@given(st.lists(st.integers(-20, 60)))
def test_spans_hold_exactly_what_was_added(numbers: list[int]) -> None:
    spans, held = Spans(), set[int]()
    for number in numbers:
        assert spans.add(number) == (number not in held)
        held.add(number)
    found = [number for one in spans.ranges() for number in range(one.lower, one.upper)]
    assert found == sorted(held)
