"""Reads are audited before the answer leaves, group-committed: what arrives during one commit goes in the next."""

from __future__ import annotations

import asyncio
from datetime import datetime

import asyncpg
import msgspec

from slipring.fhir.store.batch import Audit

_GROUP = 64


class AuditQueue:
    """Collects audit rows of reads and inserts them together; `write` returns once the row is durable."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._waiting: list[tuple[Audit, datetime, asyncio.Future[None]]] = []
        self._flush: asyncio.Task[None] | None = None

    async def write(self, audit: Audit, at: datetime) -> None:
        """Store one row, sharing the commit with others that arrive at the same time."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((audit, at, done))
        if self._flush is None or self._flush.done():
            self._flush = asyncio.create_task(self._drain())
        await done

    async def _drain(self) -> None:
        while self._waiting:
            # While one group is being written the next gathers: a lone reader waits for nobody.
            await asyncio.sleep(0)
            group, self._waiting = self._waiting[:_GROUP], self._waiting[_GROUP:]
            try:
                async with self._pool.acquire() as connection:
                    await connection.execute(_INSERT, *_columns(group))
            except Exception as error:
                for _, _, done in group:
                    if not done.done():
                        done.set_exception(error)
            else:
                for _, _, done in group:
                    if not done.done():
                        done.set_result(None)


_INSERT = """INSERT INTO audit (at, client, practitioner, interaction, resource, disclosed, parameters, body_sha256,
    request_id, outcome, content_sha256)
  SELECT at, client, practitioner, interaction, resource, ARRAY(SELECT jsonb_array_elements_text(disclosed::jsonb)),
    ARRAY(SELECT jsonb_array_elements_text(parameters::jsonb)), '', request_id, outcome, content_sha256
  FROM unnest($1::timestamptz[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::int[], $10::text[]) AS r(at, client, practitioner, interaction, resource, disclosed, parameters, request_id,
    outcome, content_sha256)"""


def _columns(group: list[tuple[Audit, datetime, asyncio.Future[None]]]) -> list[list[object]]:
    rows = [
        (
            at,
            a.client,
            a.practitioner,
            a.interaction,
            a.resource,
            msgspec.json.encode(list(a.disclosed)).decode(),
            msgspec.json.encode(list(a.parameters)).decode(),
            a.request_id,
            a.outcome,
            a.content_sha256(at),
        )
        for a, at, _ in group
    ]
    return [list(column) for column in zip(*rows, strict=True)]
