"""Propose, then erase: two different people, the same records to the version, one transaction, an audit row for each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg

from slipring.fhir.store.batch import Audit
from slipring.upkeep.contents import quote, schemas_of
from slipring.upkeep.purge.due import Due, digest, find_due
from slipring.upkeep.purge.person import NotEntitled, Person

PROPOSAL = "purge-proposal"
_STANDS = timedelta(days=7)


class NoPurge(Exception):
    """Nothing was erased; the message says why, in both languages."""


async def propose(connection: asyncpg.Connection, prefix: str, person: Person, now: datetime) -> list[Due]:
    """Leave a proposal over exactly what is due now; it takes the place of an older one."""
    async with connection.transaction():
        found = await find_due(connection, prefix, now)
        if found:
            told = {"digest": digest(found), "by": person.client, "for": person.practitioner, "at": now.isoformat()}
            await connection.execute(
                f"INSERT INTO {quote(prefix + 'front')}.mark (name, value) VALUES ($1, $2) "
                "ON CONFLICT (name) DO UPDATE SET value = EXCLUDED.value",
                PROPOSAL,
                json.dumps(told),
            )
    return found


async def erase(connection: asyncpg.Connection, prefix: str, person: Person, wanted: str, now: datetime) -> list[Due]:
    """Erase what was proposed, as a second person, if it is still exactly that."""
    front = quote(prefix + "front")
    async with connection.transaction():
        text = await connection.fetchval(f"SELECT value FROM {front}.mark WHERE name = $1 FOR UPDATE", PROPOSAL)
        if text is None:
            raise NoPurge("There is no proposal: `slipring purge propose` comes first. 尚无提议，请先 propose。")
        told = json.loads(text)
        _check(told, person, wanted, now)
        for schema in await schemas_of(connection, prefix):
            # Nobody writes meanwhile: a new reference would have to spare what it points at.
            await connection.execute(f"LOCK TABLE {quote(schema)}.resource IN SHARE ROW EXCLUSIVE MODE")
        found = await find_due(connection, prefix, datetime.fromisoformat(told["at"]))
        if digest(found) != wanted:
            raise NoPurge("What is due has changed since the proposal: propose again. 到期记录已变化，请重新提议。")
        for due in found:
            await _record(connection, due, told["by"], person, wanted, now)
        for schema in await schemas_of(connection, prefix):
            await _erased(connection, schema, found)
        await connection.execute(f"DELETE FROM {front}.mark WHERE name = $1", PROPOSAL)
    return found


def _check(told: dict[str, str], person: Person, wanted: str, now: datetime) -> None:
    if told["digest"] != wanted:
        raise NoPurge("This is not the proposal that stands. 与现有提议不符。")
    if now - datetime.fromisoformat(told["at"]) > _STANDS:
        raise NoPurge("The proposal is older than 7 days: propose again. 提议已超过 7 天，请重新提议。")
    if person.client == told["by"] or person.practitioner == told["for"]:
        raise NotEntitled("Whoever proposed does not confirm: a second person does. 提议人不得确认，须由第二人确认。")


async def _record(
    connection: asyncpg.Connection, due: Due, proposer: str, person: Person, wanted: str, now: datetime
) -> None:
    """What is erased, by its reference and the hash of every version, and by whom."""
    q = quote(due.schema)
    bodies = await connection.fetch(
        f"SELECT v.body FROM {q}.version v JOIN {q}.resource r USING (key) WHERE r.type = $1 AND r.id = $2 ORDER BY v.version",
        due.type,
        due.id,
    )
    whole = hashlib.sha256("\n".join(row["body"] for row in bodies).encode()).hexdigest()
    names = (f"proposed-by:{proposer}", f"confirmed-by:{person.client}", f"versions:{len(bodies)}")
    row = Audit(
        person.client, person.practitioner, "purge", due.reference, f"purge-{wanted[:16]}", 200, body_sha256=whole,
        parameters=names,
    )  # fmt: skip
    await connection.execute(
        f"INSERT INTO {q}.audit (at, client, practitioner, interaction, resource, disclosed, parameters, body_sha256, "
        "request_id, outcome, content_sha256) VALUES ($1, $2, $3, $4, $5, '{}', $6, $7, $8, $9, $10)",
        now, row.client, row.practitioner, row.interaction, row.resource, list(names), whole, row.request_id, row.outcome,
        row.content_sha256(now),
    )  # fmt: skip


async def _erased(connection: asyncpg.Connection, schema: str, found: Sequence[Due]) -> None:
    """Every row of these records in one schema, the followed copies too."""
    q = quote(schema)
    rows = await connection.fetch(
        f"SELECT r.key, r.type || '/' || r.id AS reference FROM {q}.resource r "
        "JOIN unnest($1::text[], $2::text[]) AS d(type, id) USING (type, id)",
        [due.type for due in found],
        [due.id for due in found],
    )
    keys, references = [row["key"] for row in rows], [row["reference"] for row in rows]
    tables = await connection.fetch(
        "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = $1 AND table_name LIKE 'search\\_%'",
        schema,
    )
    for name in [*(table["name"] for table in tables), "version", "outbox", "delivery"]:
        await connection.execute(f"DELETE FROM {q}.{quote(name)} WHERE key = ANY($1::bigint[])", keys)
    await connection.execute(f"DELETE FROM {q}.business_key WHERE resource = ANY($1::bigint[])", keys)
    await connection.execute(f"DELETE FROM {q}.timer WHERE subject = ANY($1::text[])", references)
    await connection.execute(f"DELETE FROM {q}.resource WHERE key = ANY($1::bigint[])", keys)
