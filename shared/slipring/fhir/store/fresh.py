"""New resources of several requests, written in one statement and one commit (decision: plain creates share a commit).

Such a batch relied on nothing that stands in the store, so nothing has to be locked, compared or replaced. Each request
stays all or nothing: when the statement fails, none of the group is stored and each is written again by itself.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import asyncpg
import asyncpg.exceptions
import msgspec

from slipring.fhir.store import guard
from slipring.fhir.store.batch import Audit, Batch
from slipring.fhir.store.commit import AUDIT_COLUMNS, FAMILIES, at_once, commit
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.fhir.store.packed import NotPackable, packed, unpacked

_PARTS = {
    "keys": (
        ("int", "text"),
        "INSERT INTO business_key (value, resource) SELECT r.value, {key} FROM unnest({arrays}) AS r(n, value)",
    ),
    "audits": (
        ("timestamptz", "text", "text", "text", "text", "text", "text", "int", "text", "text", "text"),
        f"""INSERT INTO audit (at, {AUDIT_COLUMNS}) SELECT at, client, practitioner, interaction, resource,
              '{{{{}}}}', '{{{{}}}}', body_sha256, request_id, outcome, content_sha256, stored_sha256, purpose
            FROM unnest({{arrays}}) AS r(at, client, practitioner, interaction, resource, body_sha256, request_id,
              outcome, content_sha256, stored_sha256, purpose)""",
    ),
    "timers": (
        ("timestamptz", "text", "text", "text", "text", "interval", "text", "text", "int"),
        """INSERT INTO timer (kind, name, subject, timer_key, due_at, payload, attempt_id, urgency)
             SELECT kind, name, subject, timer_key, coalesce(armed, clock_timestamp()) + after, payload::jsonb, attempt_id, urgency
             FROM unnest({arrays}) AS r(armed, kind, name, subject, timer_key, after, payload, attempt_id, urgency)
           ON CONFLICT (timer_key) WHERE timer_key <> '' DO UPDATE SET kind = EXCLUDED.kind, name = EXCLUDED.name,
             subject = EXCLUDED.subject, due_at = EXCLUDED.due_at, payload = EXCLUDED.payload,
             attempt_id = EXCLUDED.attempt_id, urgency = EXCLUDED.urgency, attempts = 0, error = '', worker = NULL,
             lease_until = NULL, fence = timer.fence + 1""",
    ),
} | {
    table: (
        ("int", *types),
        f"INSERT INTO {table} (key, {', '.join(names)}) SELECT {{key}}, {', '.join(f'r.{name}' for name in names)} "
        f"FROM unnest({{arrays}}) AS r(n, {', '.join(names)})",
    )
    for table, names, types, _ in FAMILIES
}


@cache
def _statement(parts: tuple[str, ...]) -> str:
    """The statement for the parts a group has; `$1` to `$4` are the resources, `$5` their locks, then come the parts' arrays in order."""
    number = iter(range(6, 99))
    written = []
    for name in parts:
        types, sql = _PARTS[name]
        arrays = ", ".join(_array(f"${next(number)}", kind) for kind in types)
        written.append(f"{name}_rows AS ({sql.format(arrays=arrays, key='(SELECT keys FROM numbered)[r.n]')})")
    return (
        ",\n".join(
            [
                f"WITH {guard.LOCKED.format(array='$5')}",
                f"""made AS MATERIALIZED (SELECT nextval('resource_key_seq') AS key, u.*
                 FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS u(at, type, id, body, n)
                 WHERE {guard.ONCE_LOCKED})""",
                "numbered AS MATERIALIZED (SELECT array_agg(key ORDER BY n) AS keys FROM made)",
                """resources AS (INSERT INTO resource (key, type, id, version, updated_at)
                 SELECT key, type, id, 1, at FROM made)""",
                """versions AS (INSERT INTO version (key, version, updated_at, method, body)
                 SELECT key, 1, at, 'POST', body FROM made)""",
                """events AS (INSERT INTO outbox (key, type, resource_id, version, method)
                 SELECT key, type, id, 1, 'POST' FROM made ORDER BY n)""",
                *written,
            ]
        )
        + "\nSELECT"
    )


def _arguments(batches: Sequence[Batch]) -> tuple[str, list[Any]]:
    """The statement and its arguments."""
    made = [(batch.at, version) for batch in batches for version in batch.versions]
    parts = {
        table: [(n, *row) for n, (_, v) in enumerate(made, 1) for row in getattr(v.rows, attribute)]
        for table, _, _, attribute in FAMILIES
    }
    parts["keys"] = list(_keys(batches))
    parts["audits"] = [_audit(batch, audit) for batch in batches for audit in batch.audits]
    parts["timers"] = [_timer(batch, kind, wake) for batch in batches for kind, wake in batch.wake]
    present = {name: rows for name, rows in parts.items() if rows}
    arguments: list[Any] = [
        [at for at, _ in made],
        [v.type for _, v in made],
        [v.id for _, v in made],
        [v.text for _, v in made],
        guard.touched((v for _, v in made), batches[0].looked_up),
    ]
    for name, rows in present.items():
        columns = zip(_PARTS[name][0], zip(*rows, strict=True), strict=True)
        arguments += [packed(column) if kind == "text" else column for kind, column in columns]
    return _statement(tuple(present)), arguments


def _array(placeholder: str, kind: str) -> str:
    return unpacked(placeholder) if kind == "text" else f"{placeholder}::{kind}[]"


def _keys(batches: Sequence[Batch]) -> Iterable[tuple[int, str]]:
    """Business keys with the place of their resource; those of the act itself belong to its first resource."""
    n = 1
    for batch in batches:
        yield from ((n, key) for key in batch.keys)
        for version in batch.versions:
            yield from ((n, key) for key in version.keys)
            n += 1


def _audit(batch: Batch, a: Audit) -> tuple[Any, ...]:
    digest = a.content_sha256(batch.at)
    return (
        batch.at,
        a.client,
        a.practitioner,
        a.interaction,
        a.resource,
        a.body_sha256,
        a.request_id,
        a.outcome,
        digest,
        a.stored_sha256,
        a.purpose,
    )


def _timer(batch: Batch, kind: str, wake: Any) -> tuple[Any, ...]:
    payload = msgspec.json.encode(dict(wake.payload)).decode()
    told = (batch.armed_at, kind, wake.name, wake.subject, wake.key, wake.after, payload, str(uuid.uuid4()))
    return (*told, wake.urgency)


async def write_fresh(pool: asyncpg.Pool, batches: Sequence[Batch]) -> list[Exception | None]:
    """Write the batches of several requests together, else one by one; per batch nothing, or why it is not stored."""
    try:
        statement, arguments = _arguments(batches)
        async with pool.acquire() as connection:
            await at_once(connection, statement, arguments)
    except (NotPackable, asyncpg.exceptions.TransactionRollbackError):  # who met crosswise goes again by himself
        pass
    except UNAVAILABLE as error:
        if not isinstance(error, ValueError):  # else a value that cannot be sent: only its own request is at fault
            raise
    except asyncpg.exceptions.PostgresError:
        pass
    else:
        return [None] * len(batches)
    return [await _alone(pool, batch) for batch in batches]


async def _alone(pool: asyncpg.Pool, batch: Batch) -> Exception | None:
    try:
        await commit(pool, batch)
    except Exception as error:
        return error
    return None
