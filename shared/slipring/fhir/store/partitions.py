"""Tables in partitions of a month: made ahead, with a default partition as a net, and dropped whole when they are done.

Only what grows with events is kept so. Current rows, business keys and versions live for decades and must be unique
over all of them: they are never partitioned (decision 0023). Months are those of UTC, by the database's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg
import structlog

from slipring.fhir.store.engine import lock_number

_LOG = structlog.get_logger("slipring.partitions")
_AHEAD = 2  # months beyond the present one
# Who waits for the whole table keeps everybody else waiting behind himself: pg_dump holds its tables for as long as
# it runs, so a round that does not get them at once leaves it to the next.
_PATIENCE = "SET LOCAL lock_timeout = '100ms'"
_SWEPT = 5000  # rows in one statement


@dataclass(frozen=True, slots=True)
class ByMonth:
    """One table partitioned by the month of `column`.

    `open`: SQL that is true of a row which is not done yet, "" when months are not ours to drop.
    """

    table: str
    column: str
    open: str = ""


# A subscription that is off keeps no month for ever: what waits for it is given up with the month.
EVENTS = (
    ByMonth("outbox", "created_at", "NOT fanned_out"),
    ByMonth(
        "delivery",
        "event_at",
        "state IN ('waiting', 'parked') AND subscription IN (SELECT id FROM subscription WHERE status <> 'off')",
    ),
)
# The audit rows and their seals stay for as long as the records they tell of.
EVERY: tuple[ByMonth, ...] = (*EVENTS, ByMonth("audit", "at"), ByMonth("seal", "sealed_at"))

# The parts themselves, for whoever compares the schema with the tables declared.
PARTITIONS = """SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = current_schema() AND c.relispartition AND c.relkind = 'r'"""
_LACKING = """SELECT $1 || '_' || to_char(month, 'YYYY_MM') AS name, month AT TIME ZONE 'UTC' AS low,
    (month + interval '1 month') AT TIME ZONE 'UTC' AS high
  FROM (SELECT date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + n * interval '1 month' AS month
    FROM generate_series(0, $2) n) m
  WHERE to_regclass(format('%I', $1 || '_' || to_char(month, 'YYYY_MM'))) IS NULL ORDER BY month"""
_OVER = """SELECT name, high FROM (SELECT c.relname AS name,
      (to_date(right(c.relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' AS high
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = $1::text::regclass AND c.relname ~ '_[0-9]{4}_[0-9]{2}$') p
  WHERE high <= clock_timestamp() - $2::interval ORDER BY high"""


async def make_ahead(pool: asyncpg.Pool, schema: str, tables: tuple[ByMonth, ...] = EVERY) -> list[str]:
    """Make the partitions of this month and the two to come that are lacking; their names.

    A month that has begun without its partition has its rows in the default one: they are moved.
    """
    made = []
    for table in tables:
        for month in await pool.fetch(_LACKING, table.table, _AHEAD):
            try:
                async with pool.acquire() as connection, connection.transaction():
                    if await _alone(connection, schema):
                        await _make(connection, table, month["name"], month["low"], month["high"])
                        made.append(str(month["name"]))
            except (asyncpg.LockNotAvailableError, asyncpg.DuplicateTableError):
                _LOG.info("partition left to the next round", table=table.table)
    return made


async def _alone(connection: asyncpg.Connection, schema: str) -> bool:
    await connection.execute(_PATIENCE)
    return bool(await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock_number("partitions", schema)))


async def _make(connection: asyncpg.Connection, table: ByMonth, name: str, low: datetime, high: datetime) -> None:
    """Fill it first, then attach it: attaching does not keep the writers of other months waiting."""
    whole, net, bounds = table.table, f"{table.table}_default", (low, high)
    await connection.execute(f"LOCK TABLE {net} IN ACCESS EXCLUSIVE MODE")
    await connection.execute(f"CREATE TABLE {name} (LIKE {whole} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    await connection.execute(
        f"WITH moved AS (DELETE FROM {net} WHERE {table.column} >= $1 AND {table.column} < $2 RETURNING *) "
        f"INSERT INTO {name} SELECT * FROM moved",
        *bounds,
    )
    text = [f"'{bound.isoformat()}'" for bound in bounds]
    await connection.execute(f"ALTER TABLE {whole} ATTACH PARTITION {name} FOR VALUES FROM ({text[0]}) TO ({text[1]})")


async def drop_done(pool: asyncpg.Pool, schema: str, table: ByMonth, kept: timedelta) -> list[str]:
    """Drop the months that ended longer than `kept` ago and hold nothing open; their names.

    Of a month that is kept for a few open rows the others are deleted, some at a time.
    """
    gone = []
    for month in await pool.fetch(_OVER, table.table, kept):
        try:
            async with pool.acquire() as connection, connection.transaction():
                if await _alone(connection, schema) and await _dropped(connection, table, month["name"]):
                    gone.append(str(month["name"]))
        except asyncpg.LockNotAvailableError:
            _LOG.info("partition kept until nobody reads it", table=table.table)
    return gone


async def _dropped(connection: asyncpg.Connection, table: ByMonth, name: str) -> bool:
    still_open = f"SELECT EXISTS (SELECT FROM {name} WHERE {table.open})"
    if await connection.fetchval(still_open):
        return False
    await connection.execute(f"LOCK TABLE ONLY {table.table} IN ACCESS EXCLUSIVE MODE")
    await connection.execute(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
    if await connection.fetchval(still_open):
        return False
    await connection.execute(f"DROP TABLE {name}")
    return True


async def sweep(pool: asyncpg.Pool, schema: str, table: ByMonth, kept: timedelta) -> int:
    """Delete some rows that are done from where no whole month can go: pinned months and the default partition."""
    swept = 0
    pinned = [row["name"] for row in await pool.fetch(_OVER, table.table, kept)]
    for name in (*pinned, f"{table.table}_default"):
        async with pool.acquire() as connection, connection.transaction():
            if await _alone(connection, schema):
                told = await connection.execute(
                    f"DELETE FROM {name} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {name} WHERE NOT ({table.open}) "
                    f"AND {table.column} < clock_timestamp() - $1::interval LIMIT {_SWEPT}))",
                    kept,
                )
                swept += int(told.rpartition(" ")[2])
    return swept
