"""What is changed behind the API, by SQL as the superuser, is found and named: each kind of change to rows and seals."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import asyncpg
from slipring.fhir.store.engine import open_pool
from slipring.sealing.keys import ServiceKey, make, published
from slipring.sealing.sealer import Sealer
from slipring.signing.seal_keys import known
from slipring.upkeep.audit.verify import Given, read_anchor

from tests.audit.archive import Archive

_READ = "(SELECT min(id) FROM audit WHERE interaction = 'read')"


async def test_what_nobody_touched_is_whole(clean: Archive) -> None:
    told = await clean.verified()
    assert [finding.text() for report in told.schemas for finding in report.findings] == []
    by_name = {report.schema: report for report in told.schemas}
    assert by_name["order"].rows > 20
    assert by_name["order"].seals >= 3
    assert by_name["order"].versions >= 15
    assert by_name["order"].unsealed == 0


_COLUMNS = {
    "at": "at + interval '1 second'",
    "client": "'somebody-else'",
    "practitioner": "'Practitioner/o-x'",
    "interaction": "'vread'",
    "resource": "'Patient/p2/_history/1'",
    "disclosed": "'{Patient/p2}'",
    "parameters": "'{name}'",
    "body_sha256": "repeat('0', 64)",
    "request_id": "'another'",
    "outcome": "201",
    "content_sha256": "repeat('0', 64)",
    "stored_sha256": "repeat('0', 64)",
    "purpose": "'BTG'",
}


async def test_a_changed_column_of_an_audit_row_is_named(clean: Archive) -> None:
    """Every column in turn, each of another row."""
    async with clean.copied() as archive:
        rows = dict(enumerate(_COLUMNS, start=3))
        for row, column in rows.items():
            await archive.run(f"UPDATE audit SET {column} = {_COLUMNS[column]} WHERE id = {row}")
        found = await archive.found()
        missed = [column for row, column in rows.items() if ("order", "row-changed", f"audit {row}") not in found]
        assert missed == []


async def test_the_test_knows_every_column(clean: Archive) -> None:
    columns = await clean.value(
        "SELECT array_agg(column_name::text) FROM information_schema.columns WHERE table_schema = 'order' AND table_name = 'audit'"
    )
    assert set(columns) == {*_COLUMNS, "id"}


async def test_a_row_changed_together_with_its_own_hash_is_named(clean: Archive) -> None:
    async with clean.copied() as archive:
        row = await archive.value(f"SELECT {_READ}")
        await archive.run(
            f"UPDATE audit a SET client = b.client, content_sha256 = b.content_sha256, at = b.at, resource = b.resource "
            f"FROM (SELECT * FROM audit WHERE interaction = 'read' AND id <> {row} LIMIT 1) b WHERE a.id = {row}"
        )
        assert ("order", "row-changed", f"audit {row}") in await archive.found()


async def test_a_removed_row_is_named(clean: Archive) -> None:
    async with clean.copied() as archive:
        row = await archive.value(f"SELECT {_READ}")
        await archive.run(f"DELETE FROM audit WHERE id = {row}")
        assert await archive.found() == {("order", "row-missing", f"audit {row}")}


async def test_an_inserted_row_is_named(clean: Archive) -> None:
    """Among the sealed rows, where a number was made free, and behind them."""
    columns = "at, client, practitioner, interaction, resource, disclosed, parameters, body_sha256, request_id, outcome, content_sha256"
    async with clean.copied() as archive:
        for number in (-1000, 999999):
            await archive.run(f"INSERT INTO audit (id, {columns}) SELECT {number}, {columns} FROM audit WHERE id = 5")
        await archive.run("UPDATE audit SET id = -3 WHERE id = 3")
        found = await archive.found()
        assert ("order", "row-added", "audit -1000") in found
        assert {
            ("order", "row-added", "audit -3"),
            ("order", "row-missing", "audit 3"),
            ("order", "row-moved", "audit 3"),
        } <= found
        assert ("order", "row-unsealed", "audit 999999") in found
        await archive.run("UPDATE audit SET client = 'x' WHERE id = 999999")
        assert ("order", "row-hash", "audit 999999") in await archive.found()


async def test_rows_that_changed_places_are_named(clean: Archive) -> None:
    async with clean.copied() as archive:
        await archive.run(
            "UPDATE audit SET id = -4 WHERE id = 4; UPDATE audit SET id = 4 WHERE id = 6;"
            "UPDATE audit SET id = 6 WHERE id = -4"
        )
        found = await archive.found()
        assert {("order", "row-moved", "audit 4"), ("order", "row-moved", "audit 6")} <= found


async def test_a_row_moved_to_another_schema_is_named(clean: Archive) -> None:
    columns = ", ".join(_COLUMNS)
    async with clean.copied() as archive:
        row = await archive.value(f"SELECT {_READ}")
        await archive.run(
            f"INSERT INTO consent.audit (id, {columns}) SELECT 5000, {columns} FROM audit WHERE id = {row};"
            f"DELETE FROM audit WHERE id = {row}"
        )
        told = await archive.verified()
        findings = {(f.schema, f.kind, f.about, f.differs) for report in told.schemas for f in report.findings}
        assert ("order", "row-moved", f"audit {row}", "now consent audit 5000") in findings
        assert ("consent", "row-unsealed", "audit 5000") in {finding[:3] for finding in findings}


async def test_a_tail_that_was_cut_off_is_named_by_an_anchor_kept_outside(clean: Archive, tmp_path: Path) -> None:
    anchor = tmp_path / "anchor.json"
    anchor.write_text(json.dumps((await clean.verified()).tree()))
    given = Given(anchors=read_anchor(anchor))
    assert await clean.found(given) == set()
    async with clean.copied() as archive:
        last = await archive.value("SELECT max(number) FROM seal")
        await archive.run(
            f"DELETE FROM audit WHERE id >= (SELECT first FROM seal WHERE number = {last});"
            f"DELETE FROM seal WHERE number = {last}"
        )
        assert ("order", "anchor", f"seal {last}") in await archive.found(given)
        assert any(kind == "version-added" for _, kind, _ in await archive.found()), "the versions lost their rows"


async def test_a_removed_seal_is_named(clean: Archive) -> None:
    async with clean.copied() as archive:
        await archive.run("DELETE FROM seal WHERE number = 2")
        found = await archive.found()
        assert ("order", "seal-missing", "seal 2") in found
        assert any(kind == "row-added" for _, kind, _ in found), "its rows stand under no seal"


async def test_a_changed_seal_is_named(clean: Archive) -> None:
    none = "repeat('0', 64)"
    changes = [
        "rows = rows + 1",
        "first = first + 1",
        "last = last - 1",
        "skipped = 1",
        f"previous = {none}",
        f"root = {none}",
    ]
    for change in changes:
        async with clean.copied() as archive:
            await archive.run(f"UPDATE seal SET {change} WHERE number = 2")
            assert ("order", "seal-changed", "seal 2") in await archive.found(), change


async def test_a_seal_whose_list_was_rewritten_with_its_rows_is_named(clean: Archive) -> None:
    async with clean.copied() as archive:
        await archive.run("UPDATE seal SET leaves = substring(leaves FROM 41) WHERE number = 2")
        assert ("order", "seal-changed", "seal 2") in await archive.found()


async def test_seals_made_anew_with_another_key_are_named_by_the_keys_kept_outside(
    clean: Archive, tmp_path: Path
) -> None:
    """The forger holds the database, so he can put his key where the service's was."""
    connection = await asyncpg.connect(clean.dsn, server_settings={"search_path": '"order"'})
    kept = known(await published(connection, "order"))
    await connection.close()
    async with clean.copied() as archive:
        connection = await asyncpg.connect(archive.dsn, server_settings={"search_path": '"order"'})
        async with connection.transaction():
            await connection.execute("DELETE FROM service_key; DELETE FROM service_secret")
            await make(connection, "order")
            await connection.execute("DELETE FROM seal; DELETE FROM mark WHERE name = 'sealing'")
        await connection.close()
        pool = await open_pool(archive.dsn, "order", size=2)
        await Sealer(pool, "order", ServiceKey(pool, "order")).catch_up()
        await pool.close()
        assert {kind for schema, kind, _ in await archive.found() if schema == "order"} == set()
        assert ("order", "seal-key", "seal 1") in await archive.found(Given(keys=kept))
    outside = Given(keys=kept)
    assert not any(schema == "order" for schema, _, _ in await clean.found(outside))
    assert dataclasses.replace(outside).keys == kept
