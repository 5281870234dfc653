"""A connection cut while something is being stored: it is found out what became of it, and nothing is stored twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from slipring.runtime.postgres import ensure_running

from tests.faults.cutting import Wire, wire_to
from tests.fhir.conftest import small_service
from tests.fhir.place import Place, a_bundle, a_patient, a_task, opened


@pytest.fixture
async def wired(data_dir: Path) -> AsyncIterator[tuple[Wire, Place]]:
    """A small service whose way to the database may be cut."""
    direct = ensure_running(data_dir)
    async with wire_to(direct) as (wire, dsn), opened(data_dir, small_service(), dsn=dsn, pool_size=4) as street:
        yield wire, street["order"]


async def test_a_create_whose_answer_was_lost_is_answered_and_stored_once(wired: tuple[Wire, Place]) -> None:
    wire, place = wired
    wire.cut_after = b"Lost-in-the-answer"
    made = await place.ask("POST", "Patient", a_patient(name=[{"family": "Lost-in-the-answer"}]))
    assert wire.cuts == 1
    assert made.status_code == 201, made.text
    assert [p["id"] for p in await place.found("Patient?family=Lost-in-the-answer")] == [made.json()["id"]]


async def test_a_create_that_never_reached_the_database_is_sent_again(wired: tuple[Wire, Place]) -> None:
    wire, place = wired
    wire.cut_before = b"Lost-on-the-way"
    made = await place.ask("POST", "Patient", a_patient(name=[{"family": "Lost-on-the-way"}]))
    assert wire.cuts == 1
    assert made.status_code == 201, made.text
    assert len(await place.found("Patient?family=Lost-on-the-way")) == 1


async def test_an_update_whose_answer_was_lost_makes_one_version(wired: tuple[Wire, Place]) -> None:
    wire, place = wired
    task = await place.make(a_task())
    wire.cut_after = b"in-progress"
    changed = await place.ask(
        "PUT", f"Task/{task['id']}", {**task, "status": "in-progress"}, headers={"If-Match": 'W/"1"'}
    )
    assert wire.cuts == 1
    assert changed.status_code == 200, changed.text
    assert changed.headers["ETag"] == 'W/"2"'
    history = (await place.ask("GET", f"Task/{task['id']}/_history")).json()
    assert len(history["entry"]) == 2


async def test_a_transaction_cut_in_its_commit_is_stored_once(wired: tuple[Wire, Place]) -> None:
    wire, place = wired
    task = await place.make(a_task())
    both = a_bundle(
        "transaction",
        ("POST", "Patient", a_patient(name=[{"family": "Commit-cut"}])),
        ("PUT", f"Task/{task['id']}", {**task, "status": "accepted"}),
    )
    wire.cut_after = b"COMMIT\0"
    done = await place.ask("POST", "", both)
    assert wire.cuts == 1
    assert done.status_code == 200, done.text
    assert len(await place.found("Patient?family=Commit-cut")) == 1


async def test_a_conditional_create_cut_in_its_commit_is_stored_once(wired: tuple[Wire, Place]) -> None:
    wire, place = wired
    condition = {"If-None-Exist": "family=Condition-cut"}
    for word in ("cut_after", "cut_before"):
        setattr(wire, word, b"COMMIT\0")
        made = await place.ask("POST", "Patient", a_patient(name=[{"family": "Condition-cut"}]), headers=condition)
        assert made.status_code in (200, 201), made.text
        assert len(await place.found("Patient?family=Condition-cut")) == 1


async def test_when_nobody_can_tell_the_client_is_told_so_and_how_to_repeat(
    wired: tuple[Wire, Place], data_dir: Path
) -> None:
    wire, place = wired
    wire.cut_after = b"Nobody-knows"
    asked = asyncio.create_task(place.ask("POST", "Patient", a_patient(name=[{"family": "Nobody-knows"}])))
    while not wire.cuts:
        await asyncio.sleep(0.02)
    wire.close()  # and the database stays away
    answer = await asked
    assert answer.status_code == 503, answer.text
    assert answer.headers["Retry-After"]
    assert "If-None-Exist" in answer.text
    connection = await asyncpg.connect(ensure_running(data_dir))
    try:
        schema = place.running.kernel.store.schema
        assert await connection.fetchval(f"SELECT count(*) FROM {schema}.version WHERE body LIKE '%Nobody-knows%'") == 1
    finally:
        await connection.close()
