"""The front's schema as the command line reaches it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg


def front_schema() -> str:
    """The name of the schema that holds clients and token keys."""
    return f"{os.environ.get('SLIPRING_SCHEMA_PREFIX', '')}front"


def with_front_schema(data_dir: Path, act: Callable[[asyncpg.Connection, str], Awaitable[Any]]) -> Any:
    """Run one act on the front's schema, which is made first if it is not there."""
    from slipring.fhir.store.migrate import migrate
    from slipring.runtime.postgres import ensure_running

    dsn, schema = os.environ.get("SLIPRING_DATABASE_URL") or ensure_running(data_dir), front_schema()

    async def run() -> Any:
        await migrate(dsn, schema)
        connection = await asyncpg.connect(dsn)
        try:
            return await act(connection, schema)
        finally:
            await connection.close()

    return asyncio.run(run())
