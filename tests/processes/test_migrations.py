"""The migrations make exactly the tables the program knows, once per schema, however many replicas start at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from slipring.fhir.store.migrate import configuration, migrate
from slipring.fhir.store.migrations import HEAD
from slipring.fhir.store.partitions import EVERY, PARTITIONS
from slipring.fhir.store.tables import metadata
from slipring.runtime import postgres
from sqlalchemy.ext.asyncio import create_async_engine


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    data_dir = tmp_path_factory.mktemp("migrations")
    yield postgres.ensure_running(data_dir)
    postgres.stop(data_dir)


async def _differences(dsn: str, schema: str) -> list[Any]:
    async def connect() -> Any:
        return await asyncpg.connect(dsn, server_settings={"search_path": schema})

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    try:
        async with engine.connect() as connection:
            parts = {row[0] for row in await connection.exec_driver_sql(PARTITIONS)}
            options = {
                "compare_server_default": True,
                "include_name": lambda name, kind, _: kind != "table" or name not in parts,
            }
            return await connection.run_sync(
                lambda sync: compare_metadata(MigrationContext.configure(sync, opts=options), metadata)
            )
    finally:
        await engine.dispose()


async def _back_to(dsn: str, schema: str, version: str) -> None:
    async def connect() -> Any:
        return await asyncpg.connect(dsn, server_settings={"search_path": schema})

    def downgrade(connection: Any) -> None:
        settings = configuration()
        settings.attributes["connection"] = connection
        command.downgrade(settings, version)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(downgrade)
    finally:
        await engine.dispose()


async def _query(dsn: str, query: str, *values: object) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query, *values)
    finally:
        await connection.close()


_WITHOUT_KEY = {
    "counted",
    "counted_month",
    "counted_sum",
    *(f"search_{family}" for family in ("token", "reference", "date", "string", "quantity")),
}


async def _rows(dsn: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


async def test_a_migrated_schema_is_exactly_the_declared_tables(dsn: str) -> None:
    await migrate(dsn, "complete")
    assert await _differences(dsn, "complete") == []
    assert await _query(dsn, "SELECT count(*) FROM complete.version") == 0


async def test_tables_are_partitioned_and_keyed_as_declared(dsn: str) -> None:
    """Alembic compares neither; and its comparison leaves the parts of a table out, which only the table can change."""
    await migrate(dsn, "parted")
    declared = {
        (
            table.name,
            table.dialect_options["postgresql"]["partition_by"] or "",
            tuple(column.name for column in table.primary_key),
        )
        for table in metadata.tables.values()
        if table.name not in _WITHOUT_KEY
    }
    found = await _rows(
        dsn,
        """SELECT c.relname, coalesce(pg_get_partkeydef(c.oid), '') AS parted, ARRAY(SELECT a.attname::text
             FROM unnest(i.indkey::int[]) WITH ORDINALITY k(n, place) JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.n
             ORDER BY k.place) AS key
           FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
           WHERE s.nspname = 'parted' AND NOT c.relispartition AND c.relname <> 'alembic_version'""",
    )
    assert {(row["relname"], row["parted"], tuple(row["key"])) for row in found} == declared
    assert {name for name, parted, _ in declared if parted} == {table.table for table in EVERY}


async def test_a_missing_column_would_be_noticed(dsn: str) -> None:
    await migrate(dsn, "lacking")
    await _query(dsn, "ALTER TABLE lacking.outbox DROP COLUMN method")
    assert await _differences(dsn, "lacking") != []


async def test_each_schema_has_its_own_tables_and_its_own_version(dsn: str) -> None:
    await migrate(dsn, "one")
    await migrate(dsn, "other")
    await _query(dsn, "INSERT INTO one.mark VALUES ('demo', 'yes')")
    assert await _query(dsn, "SELECT count(*) FROM other.mark") == 0
    assert await _query(dsn, "SELECT version_num FROM other.alembic_version") == HEAD
    assert await _query(dsn, "SELECT to_regclass('public.alembic_version')") is None


async def test_replicas_that_start_together_migrate_once(dsn: str) -> None:
    await asyncio.gather(*(migrate(dsn, "raced") for _ in range(5)))
    assert await _query(dsn, "SELECT count(*) FROM raced.alembic_version") == 1


async def test_a_schema_newer_than_the_program_is_left_alone(dsn: str) -> None:
    await migrate(dsn, "newer")
    await _query(dsn, "UPDATE newer.alembic_version SET version_num = '9999'")
    await migrate(dsn, "newer")
    assert await _query(dsn, "SELECT version_num FROM newer.alembic_version") == "9999"


async def test_a_schema_name_with_a_prefix_of_odd_letters_works(dsn: str) -> None:
    await migrate(dsn, 'East-Wing "2" order')
    assert (
        await _query(dsn, "SELECT count(*) FROM information_schema.schemata WHERE schema_name LIKE 'East-Wing%'") == 1
    )


async def test_what_an_older_release_summed_by_the_day_is_summed_by_the_month_from_then_on(dsn: str) -> None:
    await migrate(dsn, "summed")
    await _back_to(dsn, "summed", "0019")
    counting = await asyncpg.connect(dsn, server_settings={"search_path": "summed", "timezone": "Asia/Shanghai"})
    try:
        count = """INSERT INTO counted SELECT n, 'exam', 'Task/o-' || n, timestamptz '2025-11-30 11:00Z' + n * interval '9 hours',
          '', false, n, '', '', '', n * $1, -n FROM generate_series(1, 300) n"""
        await counting.execute(count, 1)
        await migrate(dsn, "summed")
        await counting.execute(count, 2)
        await counting.execute("DELETE FROM counted WHERE key % 3 = 0 AND first > key")
        rows, sums = [
            await counting.fetch(query)
            for query in (
                """SELECT date_trunc('month', at AT TIME ZONE 'UTC')::date, counted_step(value), count(*), sum(first)::numeric,
                  sum(second)::numeric FROM counted GROUP BY 1, 2 ORDER BY 1, 2""",
                "SELECT day, step, sum(members)::bigint, sum(first), sum(second) FROM counted_month GROUP BY 1, 2 ORDER BY 1, 2",
            )
        ]
        assert sums == rows and len({row[0] for row in rows}) == 5
    finally:
        await counting.close()


async def test_an_up_to_date_schema_costs_next_to_nothing(dsn: str) -> None:
    async def spent() -> float:
        before = time.process_time()
        await migrate(dsn, "quick")
        return time.process_time() - before

    making = await spent()
    assert min([await spent() for _ in range(3)]) < making / 3


def test_the_newest_version_file_is_the_one_the_program_expects() -> None:
    assert ScriptDirectory.from_config(configuration()).get_current_head() == HEAD


def test_version_files_are_numbered_in_order() -> None:
    folder = Path(ScriptDirectory.from_config(configuration()).versions)
    names = sorted(path.name[:4] for path in folder.glob("*.py"))
    assert names == [f"{number:04}" for number in range(1, len(names) + 1)]
