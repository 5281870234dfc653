"""One commit: versions, search rows, business keys, audit, outbox and timers in one database transaction.

A batch with a single version that relied on nothing goes in one statement; every other batch locks, checks,
writes. Nothing else in the project writes resources.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from functools import cache
from typing import Any

import asyncpg
import msgspec

from slipring.fhir.store import guard
from slipring.fhir.store.batch import Batch, KeyTaken, Label, Overtaken, Stale, array_text
from slipring.fhir.store.engine import LOST, OutcomeUnknown, transaction
from slipring.fhir.store.lanes import open_lane
from slipring.fhir.store.packed import NotPackable, packed, unpacked
from slipring.fhir.store.relied import Relied
from slipring.qc.indicators.row import Counted

# Rows of one family, searched or counted: table, columns with their array types, and where Rows keeps them.
FAMILIES = (
    ("search_token", ("parameter", "system", "code"), ("text", "text", "text"), "tokens"),
    ("search_reference", ("parameter", "type", "id"), ("text", "text", "text"), "references"),
    ("search_date", ("parameter", "low", "high"), ("text", "timestamptz", "timestamptz"), "dates"),
    ("search_string", ("parameter", "folded", "exact"), ("text", "text", "text"), "strings"),
    (
        "search_quantity",
        ("parameter", "low", "high", "system", "code", "unit"),
        ("text", "numeric", "numeric", "text", "text", "text"),
        "quantities",
    ),
    (
        "counted",
        Counted._fields,
        ("text", "text", "timestamptz", "text", "bool", "float8", "text", "text", "text", "int8", "int8"),
        "counted",
    ),
)
AUDIT_COLUMNS = (
    "client, practitioner, interaction, resource, disclosed, parameters, body_sha256, request_id, outcome, content_sha256, "
    "stored_sha256, purpose"
)


@cache
def _statement(
    *,
    replaces: bool,
    copies: bool,
    labelled: bool,
    families: tuple[bool, ...],
    pack: bool,
    keys: bool,
    audits: bool,
    timers: bool,
) -> str:
    """The writing statement for the parts a batch has; `$n` in the order of `_arguments`."""
    number = iter(range(10, 80))

    def columns(*types: str) -> str:
        return ", ".join(
            unpacked(f"${next(number)}") if pack and kind == "text" else f"${next(number)}::{kind}[]" for kind in types
        )

    def arrays(*types: str) -> str:
        return ", ".join(f"${next(number)}::{kind}[]" for kind in types)

    older = "resource.version < EXCLUDED.version" if copies else "resource.version = EXCLUDED.version - 1"
    audiences = arrays("text") if labelled else "NULL::text[]"
    audience, given = (", audience", ", audience::text[]") if labelled else ("", "")
    parts = [
        guard.LOCKED.format(array="$9"),
        f"""input AS (SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::bool[], $6::text[], $7::text[],
               {audiences}) WITH ORDINALITY AS i(type, id, version, method, deleted, source, body, audience, n)
             WHERE {guard.ONCE_LOCKED})""",
        f"""saved AS (INSERT INTO resource (type, id, version, updated_at, deleted, source{audience})
             SELECT type, id, version, $8, deleted, source{given} FROM input
             ON CONFLICT (type, id) DO UPDATE SET version = EXCLUDED.version, updated_at = EXCLUDED.updated_at,
               deleted = EXCLUDED.deleted{", audience = EXCLUDED.audience" if labelled else ""}
               WHERE {older} AND resource.source = EXCLUDED.source
             RETURNING key, type, id)""",
        """done AS (SELECT i.*, s.key FROM saved s JOIN input i USING (type, id)
             WHERE (SELECT count(*) FROM saved) = (SELECT count(*) FROM input))""",
        f"""versions AS (INSERT INTO version (key, version, updated_at, method, body{audience})
             SELECT key, version, $8, method, body{given} FROM done)""",
        """events AS (INSERT INTO outbox (key, type, resource_id, version, method)
             SELECT key, type, id, version, method FROM done WHERE source = '' ORDER BY n)""",
    ]
    for (table, names_of, types, _), present in zip(FAMILIES, families, strict=True):
        names = ", ".join(names_of)
        if replaces:
            parts.append(f"drop_{table} AS (DELETE FROM {table} t USING done d WHERE t.key = d.key)")
        if present:
            parts.append(
                f"""{table}_rows AS (INSERT INTO {table} (key, {names}) SELECT d.key, {", ".join(f"r.{c}" for c in names_of)}
                     FROM unnest({columns("int", *types)}) AS r(n, {names}) JOIN done d ON d.n = r.n)"""
            )
    if keys:
        parts.append(
            f"""key_rows AS (INSERT INTO business_key (value, resource) SELECT r.value, d.key
                 FROM unnest({arrays("int", "text")}) AS r(n, value) JOIN done d ON d.n = r.n
                 WHERE NOT EXISTS (SELECT 1 FROM business_key b WHERE b.value = r.value AND b.resource = d.key))"""
        )
    if audits:
        told = arrays("text", "text", "text", "text", "text", "text", "text", "text", "int", "text", "text", "text")
        parts.append(
            f"""audit_rows AS (INSERT INTO audit (at, {AUDIT_COLUMNS})
                 SELECT $8, client, practitioner, interaction, resource,
                   ARRAY(SELECT jsonb_array_elements_text(disclosed::jsonb)),
                   ARRAY(SELECT jsonb_array_elements_text(parameters::jsonb)), body_sha256, request_id, outcome, content_sha256,
                   stored_sha256, purpose
                 FROM unnest({told}) AS r({AUDIT_COLUMNS})
                 WHERE (SELECT count(*) FROM done) = (SELECT count(*) FROM input))"""
        )
    if timers:
        armed = f"coalesce(${next(number)}::timestamptz, clock_timestamp())"
        parts.append(
            f"""timer_rows AS (INSERT INTO timer (kind, name, subject, timer_key, due_at, payload, attempt_id, urgency)
                 SELECT kind, name, subject, timer_key, {armed} + after, payload::jsonb, attempt_id, urgency
                 FROM unnest({arrays("text", "text", "text", "text", "interval", "text", "text", "int")})
                   AS r(kind, name, subject, timer_key, after, payload, attempt_id, urgency)
                 WHERE (SELECT count(*) FROM done) = (SELECT count(*) FROM input)
                 ON CONFLICT (timer_key) WHERE timer_key <> '' DO UPDATE SET kind = EXCLUDED.kind, name = EXCLUDED.name,
                   subject = EXCLUDED.subject, due_at = EXCLUDED.due_at, payload = EXCLUDED.payload,
                   attempt_id = EXCLUDED.attempt_id, urgency = EXCLUDED.urgency, attempts = 0, error = '', worker = NULL,
                   lease_until = NULL, fence = timer.fence + 1)"""
        )
    return "WITH " + ",\n".join(parts) + "\nSELECT n, key FROM done ORDER BY n"


def _arguments(batch: Batch) -> tuple[str, list[Any]]:
    """The statement and its arguments; the texts of search rows go packed, if none of them holds the separator."""
    try:
        return _written(batch, pack=True)
    except NotPackable:
        return _written(batch, pack=False)


def _written(batch: Batch, *, pack: bool) -> tuple[str, list[Any]]:
    versions = batch.versions
    arguments: list[Any] = [
        [v.type for v in versions],
        [v.id for v in versions],
        [v.version for v in versions],
        [v.method for v in versions],
        [v.deleted for v in versions],
        [v.source for v in versions],
        [v.text for v in versions],
        batch.at,
        guard.touched(versions, batch.looked_up),
    ]
    labelled = batch.labelled or any(v.audience for v in versions)
    if labelled:
        arguments.append([array_text(v.audience) for v in versions])
    present = []
    for _, _, types, attribute in FAMILIES:
        rows = [(n, *row) for n, v in enumerate(versions, 1) if not v.deleted for row in getattr(v.rows, attribute)]
        present.append(bool(rows))
        if rows:
            columns = zip(("int", *types), zip(*rows, strict=True), strict=True)
            arguments += [packed(column) if pack and kind == "text" else column for kind, column in columns]
    keys = [(n, key) for n, v in enumerate(versions, 1) for key in v.keys] + [(1, key) for key in batch.keys]
    if keys:
        arguments += [[n for n, _ in keys], [key for _, key in keys]]
    if batch.audits:
        arguments += _audit_arguments(batch)
    if batch.wake:
        arguments.append(batch.armed_at)
        arguments += [
            [kind for kind, _ in batch.wake],
            [wake.name for _, wake in batch.wake],
            [wake.subject for _, wake in batch.wake],
            [wake.key for _, wake in batch.wake],
            [wake.after for _, wake in batch.wake],
            [msgspec.json.encode(dict(wake.payload)).decode() for _, wake in batch.wake],
            [str(uuid.uuid4()) for _ in batch.wake],
            [wake.urgency for _, wake in batch.wake],
        ]
    statement = _statement(
        replaces=any(v.version > 1 for v in versions),
        copies=any(v.source for v in versions),
        labelled=labelled,
        families=tuple(present),
        pack=pack,
        keys=bool(keys),
        audits=bool(batch.audits),
        timers=bool(batch.wake),
    )
    return statement, arguments


def _audit_arguments(batch: Batch) -> list[Any]:
    audits = batch.audits
    return [
        [a.client for a in audits],
        [a.practitioner for a in audits],
        [a.interaction for a in audits],
        [a.resource for a in audits],
        [msgspec.json.encode(list(a.disclosed)).decode() for a in audits],
        [msgspec.json.encode(list(a.parameters)).decode() for a in audits],
        [a.body_sha256 for a in audits],
        [a.request_id for a in audits],
        [a.outcome for a in audits],
        [a.content_sha256(batch.at) for a in audits],
        [a.stored_sha256 for a in audits],
        [a.purpose for a in audits],
    ]


async def commit(pool: asyncpg.Pool, batch: Batch, within: asyncpg.Connection | None = None) -> None:
    """Write a batch; raises Stale when something relied on changed, KeyTaken when a business key is held.

    OutcomeUnknown when the connection was lost while it was being written.

    `within`: a connection whose transaction is open already (conditional creates hold their lock in it).
    """
    if batch.keys and not batch.versions:
        raise LookupError("a business key is taken with the resource it belongs to")
    if batch.empty:
        return
    try:
        relied = batch.relied or Relied()
        if within is not None:
            if locks := guard.locking(relied, batch.versions, batch.looked_up):
                await within.execute(locks)
            await _checked(within, batch, relied)
        elif batch.plain:
            statement, arguments = _arguments(batch)
            async with pool.acquire() as connection:
                if not await at_once(connection, statement, arguments):
                    raise Stale
        else:
            async with transaction(pool, [], guard.locking(relied, batch.versions, batch.looked_up)) as connection:
                await _checked(connection, batch, relied)
    except asyncpg.UniqueViolationError as error:
        if getattr(error, "table_name", "") == "business_key":
            raise KeyTaken([key for v in batch.versions for key in v.keys] + batch.keys) from error
        raise Stale from error
    except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as error:
        raise Stale from error


async def at_once(connection: asyncpg.Connection, statement: str, arguments: list[Any]) -> list[Any]:
    """One statement that is its own transaction: who loses the connection in it cannot know how it ended."""
    try:
        found: list[Any] = await connection.fetch(statement, *arguments)
    except LOST as error:
        if isinstance(error, ValueError):  # asyncpg's DataError is an InterfaceError: nothing was sent
            raise
        raise OutcomeUnknown from error
    return found


async def _checked(connection: asyncpg.Connection, batch: Batch, relied: Relied) -> None:
    """Under the locks: hold the rows that are relied on or written, check what was found, then write."""
    expected = {v.reference: v.version - 1 for v in batch.versions if not v.source}
    for reference, version in [*((r.reference, r.version) for r in batch.require), *relied.versions.items()]:
        if expected.setdefault(reference, version) != version:
            raise Stale
    written = {v.reference for v in batch.versions}
    references = sorted({*expected, *written})  # row by row in this order; a new resource (0) must not exist yet
    if references or relied.pointed:
        standing = await guard.standing(connection, relied, references, written)
        if any(standing[reference] != version for reference, version in expected.items()):
            raise Stale
    await guard.check(connection, relied)
    if batch.taking:
        taken = await connection.fetchval(
            "DELETE FROM timer WHERE id = $1 AND fence = $2 RETURNING id", batch.taking.id, batch.taking.fence
        )
        if taken is None:
            raise Overtaken
    if batch.cancel:
        await connection.execute("DELETE FROM timer WHERE timer_key = ANY($1::text[])", batch.cancel)
    if batch.versions or batch.wake or batch.audits:
        statement, arguments = _arguments(batch)
        rows = await connection.fetch(statement, *arguments)
        if len(rows) != len(batch.versions):
            raise Stale
        copies = [row["key"] for row, v in zip(rows, batch.versions, strict=True) if v.source and v.version > 1]
        if copies:  # a copy keeps its current version only
            await connection.execute(
                "DELETE FROM version v USING resource r WHERE r.key = ANY($1::bigint[]) AND v.key = r.key "
                "AND v.version < r.version",
                copies,
            )
    if batch.labels:
        await _label(connection, batch.labels)
    if batch.closed:
        await _close(connection, batch.closed)
    for lane in batch.lanes:
        await open_lane(connection, lane)


# What everybody may see from now on is news to those who were not told of it, so it is an event though no version.
_LABEL = """WITH labels AS (SELECT type, id, audience::text[] AS audience
    FROM unnest($1::text[], $2::text[], $3::text[]) AS l(type, id, audience)),
  known AS (SELECT r.key, r.type, r.id, r.version, l.audience FROM labels l JOIN resource r USING (type, id)
    WHERE r.source = '' AND r.audience IS DISTINCT FROM l.audience ORDER BY r.key FOR NO KEY UPDATE OF r),
  moved AS (UPDATE resource r SET audience = k.audience FROM known k WHERE r.key = k.key
    RETURNING r.key, r.type, r.id, r.version, r.audience),
  opened AS (UPDATE version v SET audience = m.audience FROM moved m
    WHERE v.key = m.key AND v.version = m.version AND v.audience IS NOT NULL RETURNING v.key)
  INSERT INTO outbox (key, type, resource_id, version, method)
    SELECT key, type, id, version, CASE WHEN version = 1 THEN 'POST' ELSE 'PUT' END FROM moved WHERE audience IS NULL"""


async def _label(connection: asyncpg.Connection, labels: Sequence[Label]) -> None:
    pairs = [label.reference.partition("/") for label in labels]
    audiences = [array_text(label.audience) for label in labels]
    await connection.execute(_LABEL, [pair[0] for pair in pairs], [pair[2] for pair in pairs], audiences)


# What should never have been shown: the versions before are closed too; the current one follows what stands.
_CLOSE = """UPDATE version v SET audience = l.audience::text[]
  FROM unnest($1::text[], $2::text[], $3::text[]) AS l(type, id, audience) JOIN resource r USING (type, id)
  WHERE r.source = '' AND v.key = r.key AND (v.version < r.version OR r.audience IS NOT NULL)"""


async def _close(connection: asyncpg.Connection, labels: Sequence[Label]) -> None:
    pairs = [label.reference.partition("/") for label in labels]
    audiences = [array_text(label.audience) for label in labels]
    await connection.execute(_CLOSE, [pair[0] for pair in pairs], [pair[2] for pair in pairs], audiences)


async def holder_of(pool: asyncpg.Pool, keys: Sequence[str]) -> str | None:
    """The resource that holds one of these business keys, as `Type/id`."""
    found = await pool.fetchval(
        "SELECT r.type || '/' || r.id FROM business_key b JOIN resource r ON r.key = b.resource "
        "WHERE b.value = ANY($1::text[])",
        list(keys),
    )
    return str(found) if found else None
