"""Write all rows that are searched or counted anew when what they are made from has changed: parameters, how they are read, the time zone.

A search that misses rows written by an earlier release would be incomplete and not say so; therefore a service does this
before it serves anything.
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from importlib.resources import files
from zoneinfo import ZoneInfo

import asyncpg
import structlog

from slipring.fhir.search.index import Rows, rows
from slipring.fhir.service import Resource, Service
from slipring.fhir.store.commit import FAMILIES
from slipring.fhir.store.engine import lock_number

FORM = 2  # raised whenever the same resource and parameters give other rows
_TOGETHER = 500
_LONGEST_SECONDS = 6 * 3600  # that one replica waits for another
_MARK = "search rows"
_LOG = structlog.get_logger("slipring.fhir")


def form_of_rows(zone: ZoneInfo, counts_form: str = "") -> str:
    """What the rows of this release are made from, as a short digest."""
    declared = files("slipring.fhir.search").joinpath("parameters.json").read_bytes()
    return hashlib.sha256(f"{FORM} {zone.key} {counts_form} ".encode() + declared).hexdigest()[:16]


async def reindex(pool: asyncpg.Pool, schema: str, zone: ZoneInfo, service: Service) -> int:
    """Bring the rows up to the present form; how many resources were read. Replicas that start together wait for one."""
    form = form_of_rows(zone, service.counts_form)
    done = 0
    async with pool.acquire() as connection:
        if await kept_form(connection) == form:
            return done
        lock = lock_number("reindex", schema)
        await connection.execute("SELECT pg_advisory_lock($1)", lock, timeout=_LONGEST_SECONDS)
        try:
            if await kept_form(connection) != form:
                done = await _all(connection, zone, service)
                # Subscriptions are found by the state of their lanes, which no version has: it is written again.
                await connection.execute("UPDATE subscription SET searched_as = '' WHERE NOT internal")
                await connection.execute(
                    "INSERT INTO mark (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2",
                    _MARK,
                    form,
                )
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", lock)
    return done


async def kept_form(connection: asyncpg.Connection) -> str | None:
    """What the rows of a schema are made from, as `form_of_rows` says it."""
    found: str | None = await connection.fetchval("SELECT value FROM mark WHERE name = $1", _MARK)
    return found


async def _all(connection: asyncpg.Connection, zone: ZoneInfo, service: Service) -> int:
    """Batch by batch, each in a transaction that holds its resources: a writer waits for a moment, never in vain."""
    after, done = 0, 0
    while True:
        async with connection.transaction():
            found = await connection.fetch(
                "SELECT r.key, v.body FROM resource r JOIN version v ON v.key = r.key AND v.version = r.version "
                "WHERE r.key > $1 AND NOT r.deleted ORDER BY r.key LIMIT $2 FOR UPDATE OF r",
                after,
                _TOGETHER,
            )
            if not found:
                return done
            made = [(one["key"], made_of(read(one["body"]), zone, service)) for one in found]
            await _replace(connection, made)
        after, done = found[-1]["key"], done + len(found)
        if done % (_TOGETHER * 100) == 0:
            _LOG.info("indexing anew", resources=done)


def read(body: str) -> Resource:
    """A stored text as a tree."""
    tree: Resource = json.loads(body, parse_float=Decimal)
    return tree


def made_of(resource: Resource, zone: ZoneInfo, service: Service) -> Rows:
    """All rows by which a resource is searched and counted."""
    found = rows(resource, zone)
    found.counted.extend(service.counts(resource, zone))
    return found


async def _replace(connection: asyncpg.Connection, made: list[tuple[int, Rows]]) -> None:
    keys = [key for key, _ in made]
    for table, columns, _, attribute in FAMILIES:
        await connection.execute(f"DELETE FROM {table} WHERE key = ANY($1::bigint[])", keys)
        records = [(key, *row) for key, found in made for row in getattr(found, attribute)]
        if records:
            await connection.copy_records_to_table(table, records=records, columns=["key", *columns])
