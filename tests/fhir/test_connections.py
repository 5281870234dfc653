"""What a new connection costs: the arrays of PostgreSQL's own types are looked up once in a process."""

from __future__ import annotations

from pathlib import Path

import asyncpg
from slipring.fhir.store.engine import Connection
from slipring.runtime.postgres import ensure_running

_ASKED = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%typeinfo_' || 'tree%'"


async def test_a_second_connection_asks_nothing_about_arrays_and_reads_and_writes_them(data_dir: Path) -> None:
    asked = []
    for _ in range(2):
        connection = await asyncpg.connect(ensure_running(data_dir), connection_class=Connection)
        try:
            assert await connection.fetchval("SELECT $1::int8[] || 3::int8", [1, 2]) == [1, 2, 3]
            assert await connection.fetchval("SELECT ARRAY[$1::date]::text[]", None) == [None]
            asked.append(await connection.fetchval(_ASKED))
        finally:
            await connection.close()
    assert asked[1] == 0
