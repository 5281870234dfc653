"""What can be seen in the database: its settings, each schema, and how far everything is behind."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from decimal import Decimal
from urllib.parse import parse_qsl

import asyncpg

from slipring.fhir.search.criteria import parse
from slipring.fhir.service import CANONICAL, Stored
from slipring.fhir.store import query
from slipring.fhir.store.migrations import HEAD
from slipring.upkeep.contents import LAST_BACKUP, NAMES, quote, schemas_of
from slipring.upkeep.doctor.remark import Level, Remark, graded, threshold

# Setting -> the values that keep a promise of ours.
_WANTED = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_write", "remote_apply", "local"),
    "wal_level": ("replica", "logical"),
    "data_checksums": ("on",),
}
_CHANNEL, _ROUTE_OF = f"{CANONICAL}/CodeSystem/channel", f"{CANONICAL}/StructureDefinition/route-of"
_HARMLESS = ("wal_level", "data_checksums")  # without these nothing acknowledged is lost by a crash


async def look_at_server(connection: asyncpg.Connection) -> AsyncIterator[Remark]:
    """Release, settings, connections, clock."""
    major = connection.get_server_version().major
    release = Level.BAD if major < threshold("postgres-oldest") else Level.OK
    yield Remark("postgres-release", release, "PostgreSQL", str(await connection.fetchval("SHOW server_version")))
    for name, good in _WANTED.items():
        value = str(await connection.fetchval("SELECT current_setting($1)", name))
        if value not in good:
            yield Remark("postgres-setting", Level.WARN if name in _HARMLESS else Level.BAD, name, value)
    most = int(await connection.fetchval("SELECT current_setting('max_connections')"))
    used = await connection.fetchval("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
    yield graded("postgres-connections", 100 * used / most, "max_connections", f"{used}/{most}")
    asked = time.monotonic()
    theirs: datetime = await connection.fetchval("SELECT clock_timestamp()")
    trip = time.monotonic() - asked
    off = abs(theirs.timestamp() - time.time()) - trip
    yield graded("clock-seconds", max(0.0, off), "PostgreSQL", f"{max(0.0, off):.1f} s")


async def look_at_schemas(connection: asyncpg.Connection, prefix: str) -> AsyncIterator[Remark]:
    """Revision, and whether a service works on it."""
    there = await schemas_of(connection, prefix)
    for name in NAMES:
        schema = f"{prefix}{name}"
        if schema not in there:
            yield Remark("schema-missing", Level.WARN, schema)
            continue
        try:
            revision = await connection.fetchval(f"SELECT max(version_num) FROM {quote(schema)}.alembic_version")
        except asyncpg.UndefinedTableError:
            revision = None
        if revision != HEAD:
            newer = revision is not None and revision > HEAD
            yield Remark("schema-newer" if newer else "schema-older", Level.WARN, schema, f"{revision} / {HEAD}")


async def look_at_engine(connection: asyncpg.Connection, schema: str, copies_seconds: float) -> AsyncIterator[Remark]:
    """Copies behind, lanes in error, parked deliveries, overdue timers; and whether anybody works on them."""
    served = await connection.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1",
        f"slipring {schema}",
    )
    if not served:
        yield Remark("service-down", Level.WARN, schema)
    q = quote(schema)
    now = "clock_timestamp()"
    for row in await connection.fetch(
        f"SELECT source, filled, extract(epoch FROM {now} - as_of)::float8 AS behind FROM {q}.follow ORDER BY source"
    ):
        about = f"{schema} <- {row['source']}"
        if not row["filled"]:
            yield Remark("copies-filling", Level.WARN, about)
        elif served and (row["behind"] is None or row["behind"] > copies_seconds):
            yield Remark("copies-behind", Level.BAD, about, f"{row['behind'] or 0:.0f} s")
    lanes = await connection.fetch(
        f"SELECT id, internal, error, failures FROM {q}.subscription WHERE status = 'error' ORDER BY id"
    )
    for lane in lanes:
        level = Level.BAD if lane["internal"] else Level.WARN
        yield Remark("lane-in-error", level, f"{schema}: {lane['id']}", f"{lane['failures']} x {lane['error']}")
    parked = await connection.fetchval(f"SELECT count(*) FROM {q}.delivery WHERE state = 'parked'")
    if parked:
        yield Remark("deliveries-parked", Level.WARN, schema, f"{parked}")
    waiting = await connection.fetchval(
        f"SELECT extract(epoch FROM {now} - min(event_at))::float8 FROM {q}.delivery WHERE state = 'waiting'"
    )
    if waiting is not None:
        yield graded("event-waits", waiting, schema, f"{waiting:.0f} s")
    due = await connection.fetchrow(
        f"SELECT count(*) AS n, extract(epoch FROM {now} - min(due_at))::float8 AS oldest FROM {q}.timer WHERE due_at < {now}"
    )
    if due["n"]:
        yield graded("timer-overdue", due["oldest"], schema, f"{due['n']}: {due['oldest']:.0f} s")


async def look_at_alarms(
    connection: asyncpg.Connection, schema: str, alarms: Mapping[str, str]
) -> AsyncIterator[Remark]:
    """What a service declares that should not be: hours at which a roster rings nobody, contact routes that nobody proved."""
    await connection.execute(f"SET search_path TO {quote(schema)}")
    try:
        for name, text in alarms.items():
            kept_type, _, asked = text.partition("?")
            sql, arguments = query.count(parse(kept_type, parse_qsl(asked)), source="")
            number = await connection.fetchval(sql, *arguments)
            if number:
                yield Remark("alarm-raised", Level.WARN, f"{schema}: {name}", f"{number}")
    finally:
        await connection.execute("RESET search_path")


async def look_at_front(connection: asyncpg.Connection, schema: str) -> AsyncIterator[Remark]:
    """Token keys and the age of the last backup."""
    q = quote(schema)
    age = await connection.fetchval(
        f"SELECT extract(epoch FROM clock_timestamp() - max(created_at))::float8 / 86400 FROM {q}.token_key"
    )
    if age is None:
        yield Remark("token-key-missing", Level.BAD, schema)
    else:
        yield graded("token-key-days", age, schema, f"{age:.0f} d")
    told = await connection.fetchval(f"SELECT value FROM {q}.mark WHERE name = '{LAST_BACKUP}'")
    if told is None:
        yield Remark("backup-never", Level.WARN if await mode_of(connection, schema) == "demo" else Level.BAD, schema)
        return
    now: datetime = await connection.fetchval("SELECT clock_timestamp()")
    hours = (now - datetime.fromisoformat(told)).total_seconds() / 3600
    yield graded("backup-hours", hours, schema, f"{hours:.0f} h")


async def approved_in(connection: asyncpg.Connection, schema: str) -> list[Stored]:
    """The rule sets, policies and ladders that a service keeps and two of the department stand for; other plans lie among them."""
    q = quote(schema)
    rows = await connection.fetch(
        f"SELECT v.body, r.version, r.updated_at FROM {q}.resource r JOIN {q}.version v USING (key, version) "
        "WHERE r.type = 'PlanDefinition' AND r.source = '' AND NOT r.deleted ORDER BY r.key"
    )
    plans = [Stored(json.loads(row["body"], parse_float=Decimal), row["version"], row["updated_at"]) for row in rows]
    return [one for one in plans if one.resource.get("status") == "active"]


async def desk_in(connection: asyncpg.Connection, schema: str) -> bool:
    """Whether an active contact route of the office `fallback` is registered: the staffed desk where every ladder ends."""
    q = quote(schema)
    rows = await connection.fetch(
        f"SELECT v.body FROM {q}.resource r JOIN {q}.version v USING (key, version) "
        "WHERE r.type = 'Endpoint' AND r.source = '' AND NOT r.deleted"
    )
    return any(
        route.get("status") == "active"
        and route.get("connectionType", {}).get("system") == _CHANNEL
        and any(
            one.get("url") == _ROUTE_OF and one.get("valueCode") == "fallback" for one in route.get("extension", [])
        )
        for route in (json.loads(row["body"]) for row in rows)
    )


async def mode_of(connection: asyncpg.Connection, front_schema: str) -> str:
    """The database's mark: demo, real, or nothing yet."""
    mode = await connection.fetchval(f"SELECT value FROM {quote(front_schema)}.mark WHERE name = 'mode'")
    return str(mode or "")
