"""One look at everything, in the order an operator would ask; what stands in the way of a look is a remark too."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import asyncpg
import asyncpg.exceptions

from slipring.fhir.service import Stored
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.runtime.postgres import PostgresUnavailable, ensure_running, is_running
from slipring.runtime.settings import Settings
from slipring.signing.trust import revocation_files
from slipring.upkeep.contents import schemas_of
from slipring.upkeep.doctor.database import (
    approved_in,
    desk_in,
    look_at_alarms,
    look_at_engine,
    look_at_front,
    look_at_schemas,
    look_at_server,
    mode_of,
)
from slipring.upkeep.doctor.department import (
    look_at_addresses,
    look_at_defaults,
    look_at_mode,
    look_at_routes,
    look_beside,
)
from slipring.upkeep.doctor.machine import look_at_certificates, look_at_disk, look_at_keys, look_at_ntp
from slipring.upkeep.doctor.remark import Level, Remark
from slipring.upkeep.installed import installed


@dataclass
class _Database:
    """What the database tells: remarks, its mark, and the sets that the department has approved."""

    remarks: list[Remark] = field(default_factory=list)
    mode: str = ""
    desk: bool = False  # the staffed desk has a contact route of its own
    approved: list[Stored] = field(default_factory=list)


async def look(settings: Settings, data_dir: Path, now: datetime) -> list[Remark]:
    """Everything the doctor has to say."""
    trust = Path(os.environ.get("SLIPRING_SIGNING_TRUST") or data_dir / "signing" / "root.pem")
    remarks = [
        *look_at_keys(data_dir),
        *look_at_certificates(trust, revocation_files(os.environ), now),
        *look_at_disk(data_dir),
        *look_at_ntp(),
    ]
    told = _Database()
    dsn = _address(settings, data_dir)
    if dsn is None:
        remarks.append(Remark("database-down", Level.BAD, str(data_dir / "postgres")))
    else:
        try:
            told = await _database(dsn, settings)
            remarks += told.remarks
        except (*UNAVAILABLE, asyncpg.exceptions.PostgresError) as problem:
            remarks.append(Remark("database-unseen", Level.BAD, "SLIPRING_DATABASE_URL", type(problem).__name__))
    remarks += look_at_addresses(settings)
    remarks += look_at_mode(settings, told.mode)
    remarks += look_beside(installed(), data_dir)
    if told.mode != "demo":  # a demo rings its own phones, and its department has confirmed the shipped set
        remarks += look_at_routes(settings, desk=told.desk)
        remarks += look_at_defaults(installed(), now.astimezone(settings.zone), told.approved)
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


async def _database(dsn: str, settings: Settings) -> _Database:
    prefix, told = settings.schema_prefix, _Database()
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        told.remarks += [remark async for remark in look_at_server(connection)]
        told.remarks += [remark async for remark in look_at_schemas(connection, prefix)]
        for schema in await schemas_of(connection, prefix):
            front = schema == f"{prefix}front"
            looks: AsyncIterator[Remark] = (
                look_at_front(connection, schema)
                if front
                else look_at_engine(connection, schema, settings.follow_max_age_seconds)
            )
            try:
                told.remarks += [remark async for remark in looks]
                told.mode = await mode_of(connection, schema) if front else told.mode
                if schema in (f"{prefix}order", f"{prefix}critical"):  # who keeps what two of the department stand for
                    told.approved += await approved_in(connection, schema)
                if schema == f"{prefix}critical":
                    told.desk = await desk_in(connection, schema)
                if service := installed().get(schema.removeprefix(prefix)):
                    told.remarks += [one async for one in look_at_alarms(connection, schema, service.alarms)]
            except asyncpg.UndefinedTableError:
                told.remarks.append(Remark("schema-older", Level.WARN, schema))
    finally:
        await connection.close()
    return told
