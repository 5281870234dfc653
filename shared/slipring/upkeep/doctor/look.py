"""One look at everything, in the order an operator would ask; what stands in the way of a look is a remark too."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from importlib.metadata import entry_points
from pathlib import Path

import asyncpg
import asyncpg.exceptions

from slipring.fhir.service import Service
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.runtime.postgres import PostgresUnavailable, ensure_running, is_running
from slipring.runtime.settings import Settings
from slipring.upkeep.contents import schemas_of
from slipring.upkeep.doctor.database import look_at_engine, look_at_front, look_at_schemas, look_at_server, mode_of
from slipring.upkeep.doctor.department import (
    look_at_addresses,
    look_at_defaults,
    look_at_mode,
    look_at_routes,
    look_beside,
)
from slipring.upkeep.doctor.machine import look_at_certificates, look_at_disk, look_at_keys, look_at_ntp
from slipring.upkeep.doctor.remark import Level, Remark


async def look(settings: Settings, data_dir: Path, now: datetime) -> list[Remark]:
    """Everything the doctor has to say."""
    trust = Path(os.environ.get("SLIPRING_SIGNING_TRUST") or data_dir / "signing" / "root.pem")
    remarks = [*look_at_keys(data_dir), *look_at_certificates(trust, now), *look_at_disk(data_dir), *look_at_ntp()]
    mode = ""
    dsn = _address(settings, data_dir)
    if dsn is None:
        remarks.append(Remark("database-down", Level.BAD, str(data_dir / "postgres")))
    else:
        try:
            found, mode = await _database(dsn, settings)
            remarks += found
        except (*UNAVAILABLE, asyncpg.exceptions.PostgresError) as problem:
            remarks.append(Remark("database-unseen", Level.BAD, "SLIPRING_DATABASE_URL", type(problem).__name__))
    remarks += look_at_addresses(settings)
    remarks += look_at_mode(settings, mode)
    remarks += look_beside(installed(), data_dir)
    if mode != "demo":  # a demo rings its own phones, and its department has confirmed the shipped set
        remarks += look_at_routes(settings)
        remarks += look_at_defaults(installed(), now.astimezone(settings.zone).date())
    return remarks


def _address(settings: Settings, data_dir: Path) -> str | None:
    """Never starts anything: an embedded database that is down stays down."""
    if settings.database_url:
        return settings.database_url
    if not (data_dir / "postgres").exists():
        return None
    try:
        return ensure_running(data_dir) if is_running(data_dir) else None
    except PostgresUnavailable:
        return None


async def _database(dsn: str, settings: Settings) -> tuple[list[Remark], str]:
    prefix, mode = settings.schema_prefix, ""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        remarks = [remark async for remark in look_at_server(connection)]
        remarks += [remark async for remark in look_at_schemas(connection, prefix)]
        for schema in await schemas_of(connection, prefix):
            front = schema == f"{prefix}front"
            looks: AsyncIterator[Remark] = (
                look_at_front(connection, schema)
                if front
                else look_at_engine(connection, schema, settings.follow_max_age_seconds)
            )
            try:
                remarks += [remark async for remark in looks]
                mode = await mode_of(connection, schema) if front else mode
            except asyncpg.UndefinedTableError:
                remarks.append(Remark("schema-older", Level.WARN, schema))
    finally:
        await connection.close()
    return remarks, mode


def installed() -> Mapping[str, Service]:
    """The services that are installed, by their entry points."""
    points = sorted(entry_points(group="slipring.services"), key=lambda point: point.name)
    return {point.name: point.load() for point in points}
