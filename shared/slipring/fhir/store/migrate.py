"""Bring one service's schema up to the tables this program knows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from slipring.fhir.store.engine import lock_number
from slipring.fhir.store.migrations import HEAD

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

FOLDER = Path(__file__).parent / "migrations"


async def migrate(dsn: str, schema: str) -> None:
    """Make the schema if it is absent and run the version files it has not seen.

    Replicas may race: one migrates, the others wait and find it done. A schema newer than this program is left as
    it is, because migrations stay compatible with the release before.
    """
    if await _version(dsn, schema) >= HEAD:
        return
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    async def connect() -> Any:
        return await asyncpg.connect(dsn, server_settings={"search_path": _quoted(schema), "timezone": "UTC"})

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            lock = lock_number("migrate", schema)
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
            await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {_quoted(schema)}"))
            # In a statement after the lock: whoever waited sees what the winner did.
            if await _version(dsn, schema) < HEAD:
                await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def configuration() -> Config:
    """Alembic's configuration without an ini file."""
    from alembic.config import Config

    found = Config()
    found.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    found.set_main_option("path_separator", "os")
    return found


def _upgrade(connection: Connection) -> None:
    from alembic import command

    settings = configuration()
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")


async def _version(dsn: str, schema: str) -> str:
    """The schema's version, '' before the first migration."""
    connection = await asyncpg.connect(dsn)
    try:
        return str(await connection.fetchval(f"SELECT max(version_num) FROM {_quoted(schema)}.alembic_version") or "")
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError):
        return ""
    finally:
        await connection.close()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
