"""What is disclosed is audited before the answer leaves, group-committed; a read by id brings its version along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import asyncpg
import msgspec

from slipring.fhir.store.batch import Audit, array_text
from slipring.fhir.store.grouped import Grouped
from slipring.fhir.store.reading import Row

_GROUP = 64


@dataclass(frozen=True, slots=True)
class Lookup:
    """A read of the current version; the audit's resource ends in `/_history/`, what was found completes it."""

    type: str
    id: str
    audit: Audit
    at: datetime
    audiences: tuple[str, ...] | None = None  # as whom the caller is shown what is not for everybody; None: all


class AuditQueue:
    """Collects what reads and searches leave behind and writes it together; each call returns once it is durable."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._rows: Grouped[tuple[Audit, datetime], None] = Grouped(partial(_insert, pool), most=_GROUP)
        self._reads: Grouped[Lookup, Row | None] = Grouped(partial(_read, pool), most=_GROUP)

    async def write(self, audit: Audit, at: datetime) -> None:
        """Store one row, sharing the commit with others that arrive at the same time."""
        await self._rows.do((audit, at))

    async def read(self, lookup: Lookup) -> Row | None:
        """The current version of a resource kept here, also when deleted, with its audit row stored; None unaudited."""
        return await self._reads.do(lookup)


_INSERT = """INSERT INTO audit (at, client, practitioner, interaction, resource, disclosed, parameters, body_sha256,
    request_id, outcome, content_sha256, purpose)
  SELECT at, client, practitioner, interaction, resource, ARRAY(SELECT jsonb_array_elements_text(disclosed::jsonb)),
    ARRAY(SELECT jsonb_array_elements_text(parameters::jsonb)), body_sha256, request_id, outcome, content_sha256, purpose
  FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::int[], $11::text[], $12::text[]) AS r(at, client, practitioner, interaction, resource, disclosed,
    parameters, body_sha256, request_id, outcome, content_sha256, purpose)"""

# LIMIT keeps each look-up on its index, whatever the planner believes about tables it has not counted yet.
_READ = """WITH found AS MATERIALIZED (
    SELECT a.*, w.* FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::int[],
      $8::text[], $9::text[], $10::text[])
      WITH ORDINALITY AS a(type, id, at, client, practitioner, request_id, outcome, head, tail, audiences, n),
    LATERAL (SELECT r.key, r.deleted, v.version, v.updated_at, v.body, v.method
      FROM resource r JOIN version v ON v.key = r.key AND v.version = r.version
      WHERE r.type = a.type AND r.id = a.id AND r.source = ''
        AND (r.audience IS NULL OR a.audiences IS NULL OR r.audience && a.audiences::text[]) LIMIT 1) w),
  told AS (INSERT INTO audit (at, client, practitioner, interaction, resource, disclosed, parameters, body_sha256,
      request_id, outcome, content_sha256)
    SELECT at, client, practitioner, 'read', type || '/' || id || '/_history/' || version, '{}', '{}', '', request_id,
      outcome, encode(sha256(convert_to(head || version || tail, 'UTF8')), 'hex') FROM found)
  SELECT n, key, type, id, version, updated_at, deleted, body, method FROM found"""


async def _insert(pool: asyncpg.Pool, group: list[tuple[Audit, datetime]]) -> Sequence[None]:
    rows = [
        (
            at,
            a.client,
            a.practitioner,
            a.interaction,
            a.resource,
            msgspec.json.encode(list(a.disclosed)).decode(),
            msgspec.json.encode(list(a.parameters)).decode(),
            a.body_sha256,
            a.request_id,
            a.outcome,
            a.content_sha256(at),
            a.purpose,
        )
        for a, at in group
    ]
    async with pool.acquire() as connection:
        await connection.execute(_INSERT, *zip(*rows, strict=True))
    return [None] * len(group)


async def _read(pool: asyncpg.Pool, group: list[Lookup]) -> Sequence[Row | None]:
    rows = [
        (
            k.type,
            k.id,
            k.at,
            k.audit.client,
            k.audit.practitioner,
            k.audit.request_id,
            k.audit.outcome,
            *k.audit.around_version(k.at),
            array_text(k.audiences),
        )
        for k in group
    ]
    async with pool.acquire() as connection:
        records = await connection.fetch(_READ, *zip(*rows, strict=True))
    answers: list[Row | None] = [None] * len(group)
    for n, key, kind, name, version, updated_at, deleted, body, method in records:
        answers[n - 1] = Row(key, kind, name, version, updated_at, deleted, "", body, method)
    return answers
