"""The front's schema as the command line reaches it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import asyncpg


def with_front_schema(data_dir: Path, act: Callable[[asyncpg.Connection, str], Awaitable[Any]]) -> Any:
    """Run one act on the front's schema, which is made first if it is not there."""
    from slipring.fhir.store.migrate import migrate
    from slipring.runtime.postgres import ensure_running
    from slipring.runtime.settings import Settings

    settings = Settings.from_env()
    dsn, schema = settings.database_url or ensure_running(data_dir), f"{settings.schema_prefix}front"

    async def run() -> Any:
        await migrate(dsn, schema)
        connection = await asyncpg.connect(dsn, server_settings={"search_path": f'"{schema}"'})
        try:
            return await act(connection, schema)
        finally:
            await connection.close()

    return asyncio.run(run())
