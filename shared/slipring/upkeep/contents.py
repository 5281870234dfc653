"""What the schemas hold, as numbers that can be compared: before a dump, and after it was read back."""

from __future__ import annotations

import asyncpg

from slipring.signing.seal import jws_sha256
from slipring.upkeep.manifest import SchemaRecord

LAST_BACKUP = "last-backup"  # the front's mark that a backup leaves
SECRETS = "service_secret"  # the private keys that seal: no backup takes them along
NAMES = ("front", "order", "consent", "report", "critical")

# Order does not matter to these, so no sort of millions of rows is needed; 64 bits find every accident.
VERSIONS = """SELECT coalesce(bit_xor(('x' || left(encode(sha256(convert_to(r.type || '/' || r.id || '/' || v.version || ' ' ||
    v.body, 'UTF8')), 'hex'), 16))::bit(64)::bigint), 0)::text FROM {schema}.version v JOIN {schema}.resource r USING (key)"""
AUDIT = """SELECT coalesce(bit_xor(('x' || left(content_sha256, 16))::bit(64)::bigint), 0)::text FROM {schema}.audit"""


async def schemas_of(connection: asyncpg.Connection, prefix: str) -> list[str]:
    """The schemas of this installation that exist, the front's first."""
    rows = await connection.fetch(
        "SELECT nspname FROM pg_namespace WHERE nspname = ANY($1::text[])", [f"{prefix}{name}" for name in NAMES]
    )
    there = {row["nspname"] for row in rows}
    return [f"{prefix}{name}" for name in NAMES if f"{prefix}{name}" in there]


async def record_of(connection: asyncpg.Connection, schema: str) -> SchemaRecord:
    """Count and digest one schema as the connection's transaction sees it."""
    quoted = quote(schema)
    types = await connection.fetch(
        f"SELECT type, count(*) AS n FROM {quoted}.resource WHERE NOT deleted AND source = '' GROUP BY type ORDER BY type"
    )
    tables = await connection.fetch(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1",
        schema,
    )
    rows = {}
    for (table,) in tables:
        if table == SECRETS:
            continue
        rows[table] = await connection.fetchval(f"SELECT count(*) FROM {quoted}.{quote(table)}")
    return SchemaRecord(
        revision=str(await connection.fetchval(f"SELECT max(version_num) FROM {quoted}.alembic_version") or ""),
        resources={row["type"]: row["n"] for row in types},
        tables=rows,
        versions=await connection.fetchval(VERSIONS.format(schema=quoted)),
        audit=await connection.fetchval(AUDIT.format(schema=quoted)),
        seal=await _last_seal(connection, quoted),
    )


async def _last_seal(connection: asyncpg.Connection, quoted: str) -> str:
    """Number and hash of the last seal: a backup kept elsewhere is an anchor of the chain."""
    if not await connection.fetchval("SELECT to_regclass($1)", f"{quoted}.seal"):  # of an older program
        return ""
    row = await connection.fetchrow(f"SELECT number, jws FROM {quoted}.seal ORDER BY number DESC LIMIT 1")
    return f"{row['number']} {jws_sha256(row['jws'])}" if row else ""


def quote(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal, whatever the server's settings say about backslashes."""
    return "E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
