"""Write the next migration file from the difference between the tables and what the version files make."""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from slipring.fhir.store.migrate import configuration, migrate
from slipring.fhir.store.migrations import HEAD
from slipring.runtime.postgres import ensure_running, stop

if TYPE_CHECKING:
    from sqlalchemy import Connection

_SCHEMA = "draft"


async def draft(dsn: str, message: str) -> None:
    """Migrate an empty schema, compare it with the tables and write the file that is missing."""
    from sqlalchemy.ext.asyncio import create_async_engine

    async def connect() -> Any:
        return await asyncpg.connect(dsn, server_settings={"search_path": _SCHEMA})

    await migrate(dsn, _SCHEMA)
    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_write, message)
    finally:
        await engine.dispose()


def _write(connection: Connection, message: str) -> None:
    from alembic import command

    from slipring.fhir.store.tables import metadata

    number = f"{int(HEAD) + 1:04}"
    settings = configuration()
    settings.attributes.update(connection=connection, tables=metadata)
    settings.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    command.revision(settings, re.sub(r"\s+", " ", message), autogenerate=True, rev_id=number)


def main() -> None:
    """`make migrate MESSAGE="..."`."""
    with tempfile.TemporaryDirectory(prefix="slipring-draft-") as name:
        folder = Path(name)
        try:
            asyncio.run(draft(ensure_running(folder), sys.argv[1]))
        finally:
            stop(folder)
    sys.stdout.write("Read the new file, set HEAD in migrations/__init__.py to its number, and run make test.\n")


if __name__ == "__main__":
    main()
