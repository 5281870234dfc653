"""A backup taken under load, read back into an empty cluster: what was acknowledged before it is there, byte for byte."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from slipring.runtime.postgres import ensure_running, stop
from slipring.upkeep.manifest import DATABASE, NAME, Manifest

from tests.support.backing_up import (
    World,
    backed_up,
    done,
    entries,
    imaging_number,
    order,
    slipring,
    wait_for_copies,
)
from tests.support.server import Server


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("backup")
    server = Server(folder / "data", environment={"SLIPRING_LOG_LEVEL": "warning"})
    server.start(seconds=120)
    try:
        yield backed_up(server, folder / "kept")
    finally:
        server.stop()
        stop(server.data_dir)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "elsewhere"
    yield folder
    stop(folder)


def test_what_was_acknowledged_before_the_backup_is_read_back_byte_for_byte(world: World, empty: Path) -> None:
    said = done(slipring("restore", world.backup, data_dir=empty))
    assert "verified" in said
    restored = Server(empty, environment={"SLIPRING_LOG_LEVEL": "warning"})
    restored.start(seconds=120)
    try:
        with restored.client() as http:
            for address, text in world.texts.items():
                answer = http.get(f"/fhir/{address}")
                found = entries(answer) if address.endswith("_history") else answer.content
                assert found == text, address
            people = [reference for reference in world.texts if reference.startswith(("Pract", "Patient/"))]
            fresh = order(http, [r for r in people if "_history" not in r], 900)
            number = imaging_number(http.get(f"/fhir/{fresh}").json())
            assert int(number[10:]) >= max(int(given[10:]) for given in world.orders) + 10_000
            # The copies fill again: consent knows the request that was made after the restore, and the old ones.
            wait_for_copies(http, [*(r for r in world.texts if r.startswith("ServiceR") and "_h" not in r), fresh])
    finally:
        restored.stop()
    report = json.loads(done(slipring("audit", "verify", "--json", data_dir=empty)))
    assert report["whole"]
    found = {finding["kind"] for told in report["schemas"].values() for finding in told["findings"]}
    assert found == {"restored"}, "seals after the backup are gone, and that is said; no number is used twice"
    sealed = Manifest.read(world.backup).schemas["order"].seal
    assert report["schemas"]["order"]["last_seal"]["number"] > int(sealed.split()[0]) + 900_000


async def test_the_restored_database_marks_the_restore_and_goes_back_in_no_number(world: World, empty: Path) -> None:
    done(slipring("restore", world.backup, data_dir=empty))
    manifest = Manifest.read(world.backup)
    restored = await asyncpg.connect(ensure_running(empty))
    original = await asyncpg.connect(ensure_running(world.server.data_dir))
    try:
        for schema, record in manifest.schemas.items():
            marks = await restored.fetch(f'SELECT * FROM "{schema}".audit WHERE interaction = $1', "restore")
            assert [mark["body_sha256"] for mark in marks] == [manifest.members[DATABASE]["sha256"]]
            assert await restored.fetchval(f'SELECT count(*) FROM "{schema}".audit') == record.tables["audit"] + 1
            assert await restored.fetchval(f'SELECT count(*) FROM "{schema}".follow WHERE filled') == 0
            for name in ("resource_key_seq", "version_sequence", "audit_id_seq"):
                ahead = await restored.fetchval(f'SELECT last_value FROM "{schema}"."{name}"')
                assert ahead > await original.fetchval(f'SELECT last_value FROM "{schema}"."{name}"')
        lane = await restored.fetchrow('SELECT * FROM "order".subscription WHERE NOT internal')
        before = await original.fetchrow('SELECT * FROM "order".subscription WHERE NOT internal')
        assert lane["last_number"] >= before["last_number"] + 900_000
        waiting = await restored.fetch(
            'SELECT number, attempts FROM "order".delivery WHERE subscription = $1 AND state = $2 ORDER BY number',
            lane["id"],
            "waiting",
        )
        assert waiting, "nobody listens, so something must wait"
        assert waiting[0]["number"] == lane["delivered_number"] + 1
        assert waiting[-1]["number"] == lane["last_number"]
        assert all(row["attempts"] >= 1 for row in waiting), "what may have been sent is told as a repeat"
        assert await restored.fetchval("SELECT value FROM front.mark WHERE name = 'mode'") == "demo"
        assert manifest.schemas["front"].tables["session"] == 1
        assert await restored.fetchval("SELECT count(*) FROM front.session") == 0, "people sign in anew"
        assert await restored.fetchval("SELECT count(*) FROM front.account") == 1
    finally:
        await restored.close()
        await original.close()


def test_keys_come_back_and_nobody_else_may_read_them(world: World, empty: Path) -> None:
    done(slipring("restore", world.backup, data_dir=empty))
    names = sorted(path.name for path in (world.server.data_dir / "keys").iterdir())
    assert names
    for name in names:
        assert (empty / "keys" / name).read_bytes() == (world.server.data_dir / "keys" / name).read_bytes()
    for path in [*(world.backup).rglob("*"), *(empty / "keys").rglob("*"), world.backup]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_nothing_is_overwritten(world: World, empty: Path) -> None:
    assert "not overwritten" in done(slipring("backup", world.backup, data_dir=world.server.data_dir), 1)
    done(slipring("restore", world.backup, data_dir=empty))
    assert "not empty" in done(slipring("restore", world.backup, data_dir=empty), 1)
    said = done(slipring("restore", "--replace", world.backup, data_dir=empty))
    assert "order_replaced_" in said
    assert "being served" in done(slipring("restore", "--replace", world.backup, data_dir=world.server.data_dir), 1)


def test_a_backup_in_one_file_says_when_a_byte_was_changed(world: World, tmp_path: Path) -> None:
    whole = tmp_path / "kept.tar"
    done(slipring("backup", whole, data_dir=world.server.data_dir))
    assert whole.stat().st_mode & 0o077 == 0
    done(slipring("restore", "--verify", whole, data_dir=tmp_path))
    content = bytearray(whole.read_bytes())
    content[len(content) // 2] ^= 1
    whole.write_bytes(content)
    assert "changed" in done(slipring("restore", "--verify", whole, data_dir=tmp_path), 1)
    whole.write_bytes(content[: len(content) // 2])
    done(slipring("restore", "--verify", whole, data_dir=tmp_path), 1)
    assert not (tmp_path / "keys").exists()


def test_a_manifest_that_was_edited_is_refused(world: World, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", world.backup, copy], check=True)
    text = (copy / NAME).read_text(encoding="utf-8")
    (copy / NAME).write_text(text.replace('"demo"', '"real"'), encoding="utf-8")
    assert "was changed" in done(slipring("restore", "--verify", copy, data_dir=tmp_path), 1)


def test_a_backup_that_is_killed_never_looks_like_one(world: World, tmp_path: Path) -> None:
    seed, whole = random.Random(3), 0
    for number in range(6):
        target = tmp_path / f"try-{number}"
        process = slipring("backup", target, data_dir=world.server.data_dir)
        time.sleep(seed.uniform(0.7, 2.4))
        process.kill()
        process.communicate()
        if target.exists():
            whole += 1
            done(slipring("restore", "--verify", target, data_dir=tmp_path))
    assert whole < 6, "none was killed in time"
    done(slipring("backup", tmp_path / "last", data_dir=world.server.data_dir))
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == [], "the dead are cleared"


async def test_a_restore_that_is_killed_leaves_nothing_or_all_of_it(world: World, empty: Path) -> None:
    killed, manifest = 0, Manifest.read(world.backup)
    dsn = ensure_running(empty)
    for seconds in (0.5, 0.8, 1.1, 1.4, 1.8, 2.2):  # from before anything is written to after the end, on any machine
        process = slipring("restore", world.backup, data_dir=empty)
        time.sleep(seconds)
        process.kill()
        process.communicate()
        connection = await asyncpg.connect(dsn)
        try:
            await _alone(connection)
            if await connection.fetchval("SELECT to_regnamespace('front')") is None:
                killed += 1
                continue
            for schema, record in manifest.schemas.items():
                found = await connection.fetchval(f'SELECT count(*) FROM "{schema}".version')
                assert found == record.tables["version"]
                assert await connection.fetchval(
                    f'SELECT count(*) FROM "{schema}".audit WHERE interaction = $1', "restore"
                )
            for schema in manifest.schemas:
                await connection.execute(f'DROP SCHEMA "{schema}" CASCADE')
        finally:
            await connection.close()
    assert killed, "none was killed in time"
    done(slipring("restore", world.backup, data_dir=empty))


async def _alone(connection: asyncpg.Connection) -> None:
    """Until psql has noticed that nobody feeds it."""
    end = time.monotonic() + 20
    while await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'psql'"):
        assert time.monotonic() < end
        time.sleep(0.05)
