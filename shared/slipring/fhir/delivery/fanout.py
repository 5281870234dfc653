"""The fan-out: one leader per schema at a time turns outbox rows into numbered deliveries.

It takes every row that is not yet fanned out (never "id > cursor": sequences commit out of order), by id, and in
one transaction matches the subscriptions, raises each `last_number` and writes the deliveries. Whoever leads holds an
advisory lock for the one transaction: a leader that is killed or paused in it is cut off by the database, and the
next one finds the rows where they were.
"""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from functools import partial
from typing import Any

import asyncpg

from slipring.fhir.delivery.interest import Interests
from slipring.fhir.kernel import Kernel
from slipring.fhir.store.engine import OneConnection, lock_number
from slipring.fhir.topics.hearing import Change, Version

_MOST = 500  # events in one transaction
_MOST_DELIVERIES = 20_000
_BREATH = 20  # events matched before others of this process have their turn

# now() is when the statement began, before its snapshot: what was committed by then is among the rows.
_STANDING = """SELECT now() AS seen_at, (SELECT value FROM mark WHERE name = 'lanes') AS lanes,
  EXISTS (SELECT FROM outbox WHERE NOT fanned_out) AS waiting,
  (SELECT json_object_agg(id, last_number) FROM subscription WHERE id = ANY($1::text[])) AS numbers"""
_LANES = """SELECT s.*, (SELECT value FROM mark WHERE name = 'lanes') AS lanes FROM (SELECT) one
  LEFT JOIN subscription s ON s.status <> 'off'"""
_EVENTS = """SELECT now() AS seen_at, o.id, o.type, o.method, o.created_at, v.body, v.audience, p.body AS previous,
    p.audience AS previous_audience
  FROM (SELECT * FROM outbox WHERE NOT fanned_out ORDER BY id LIMIT $1) o
  LEFT JOIN version v ON o.type = ANY($2::text[]) AND v.key = o.key AND v.version = o.version AND o.method <> 'DELETE'
  LEFT JOIN version p ON o.type = ANY($2::text[]) AND p.key = o.key AND p.version = o.version - 1 AND p.method <> 'DELETE'
  ORDER BY o.id"""
_SPREAD = """WITH hit AS (SELECT id, n, count FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS h(id, count, n)),
  locked AS MATERIALIZED (SELECT s.id FROM subscription s WHERE s.id = ANY($1::text[]) ORDER BY s.id FOR UPDATE),
  raised AS (UPDATE subscription s SET last_number = s.last_number + h.count FROM hit h JOIN locked l ON l.id = h.id
    WHERE s.id = h.id RETURNING s.id, h.n, s.last_number - h.count AS base),
  told AS (INSERT INTO delivery (subscription, number, key, type, resource_id, version, method, event_at, attempt_id)
    SELECT r.id, r.base + d.nth, o.key, o.type, o.resource_id, o.version, o.method, o.created_at, gen_random_uuid()::text
    FROM unnest($3::int[], $4::int[], $5::bigint[]) AS d(lane, nth, event) JOIN raised r ON r.n = d.lane
      JOIN outbox o ON o.id = d.event),
  done AS (UPDATE outbox SET fanned_out = true WHERE id = ANY($6::bigint[]) AND NOT fanned_out)
  SELECT id FROM raised"""


class Fanout:
    """Fans out the events of one schema in turn with the other replicas."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._lock = lock_number("fanout", kernel.store.schema)
        self._lanes = ""  # which state of the lanes is known
        self._topics = {topic.url: topic for topic in kernel.service.topics}
        self._interests = Interests((), self._topics, kernel.zone)
        self._numbers: dict[str, int] = {}
        self._complete_at: datetime | None = None

    @property
    def internal(self) -> set[str]:
        """The lanes of following services."""
        return self._interests.internal

    async def step(self) -> tuple[list[str], bool]:
        """One round: the lanes that were told something, and whether there may be more to do at once."""
        async with self._kernel.store.pool.acquire() as connection:
            standing = await connection.fetchrow(_STANDING, list(self._interests.internal))
            if (standing["lanes"] or "") != self._lanes:
                await self._learn(connection)
                return [], True
            if standing["waiting"]:
                return await self._lead(connection)
        seen_at = self._kernel.clock.now() if self._kernel.fake_time else standing["seen_at"]
        self._numbers, self._complete_at = json.loads(standing["numbers"] or "{}"), seen_at
        return [], False

    def complete(self, lane: str) -> tuple[int, datetime] | None:
        """Up to which number and moment a lane's events are known; None for a lane that is new."""
        if self._complete_at is None or lane not in self._numbers:
            return None
        return self._numbers[lane], self._complete_at

    async def _learn(self, connection: asyncpg.Connection) -> None:
        found = await connection.fetch(_LANES)
        lanes = [dict(lane) for lane in found if lane["id"] is not None]
        self._interests = Interests(lanes, self._topics, self._kernel.zone)
        self._lanes = found[0]["lanes"] or ""

    async def _lead(self, connection: asyncpg.Connection) -> tuple[list[str], bool]:
        """Number what waits. Who comes while another leads waits for it: its own events may be too young for it."""
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", self._lock)
            events = await connection.fetch(_EVENTS, _MOST, sorted(self._interests.types))
            # After the events were seen: whoever subscribed before one of them is among the lanes.
            if (await connection.fetchval("SELECT value FROM mark WHERE name = 'lanes'") or "") != self._lanes:
                await self._learn(connection)
                return [], True
            await self._interests.identify(partial(self._kernel.desk, reader=OneConnection(connection)))
            done, hits = await self._matched(events)
            if done:
                lag = events[0]["seen_at"] - min(event["created_at"] for event in events)
                self._kernel.meters.fanout_lag.observe(max(0.0, lag.total_seconds()))
                await connection.fetch(_SPREAD, *_columns(hits), done)
        return list(hits), True

    async def _matched(self, events: list[asyncpg.Record]) -> tuple[list[int], dict[str, list[int]]]:
        """The events dealt with, and for each lane those it is told of, in order."""
        done: list[int] = []
        hits: dict[str, list[int]] = {}
        written = 0
        for event in events:
            if written >= _MOST_DELIVERIES:
                break
            change = Change(
                event["method"],
                self._version(event["previous"], event["previous_audience"]),
                self._version(event["body"], event["audience"]),
            )
            for lane in self._interests.hit(event["type"], change, event["created_at"]):
                hits.setdefault(lane, []).append(event["id"])
                written += 1
            done.append(event["id"])
            if len(done) % _BREATH == 0:
                await asyncio.sleep(0)
        return done, hits

    def _version(self, text: str | None, audience: list[str] | None) -> Version | None:
        if text is None:
            return None
        return Version(text, self._kernel.zone, None if audience is None else tuple(audience))


def _columns(hits: dict[str, list[int]]) -> tuple[list[Any], ...]:
    """Lanes with their counts, then each delivery as (lane's place, its number among the lane's, event)."""
    placed = [(n, nth, event) for n, told in enumerate(hits.values(), 1) for nth, event in enumerate(told, 1)]
    return (
        list(hits),
        [len(told) for told in hits.values()],
        [n for n, _, _ in placed],
        [nth for _, nth, _ in placed],
        [event for _, _, event in placed],
    )
