"""The fan-out: one leader per schema turns outbox rows into numbered deliveries.

It takes every row that is not yet fanned out (never "id > cursor": sequences commit out of order), by id, and in
one transaction matches the subscriptions, raises each `last_number` and writes the deliveries.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, tzinfo
from functools import lru_cache
from typing import Any

import asyncpg

from slipring.fhir.delivery.rights import may_be_told, subscriber
from slipring.fhir.kernel import Kernel
from slipring.fhir.search.criteria import Criteria
from slipring.fhir.store.engine import lock_number
from slipring.fhir.topics import Topic
from slipring.fhir.topics.hearing import Change, Hearer, OfCopies, OfCriteria, Version, of_topic, read

_MOST = 500
# now() is when the transaction began, before this statement's snapshot: what was committed by then is among the rows.
_WAITING = """SELECT at.seen_at, o.* FROM (SELECT now() AS seen_at) at LEFT JOIN LATERAL (
    SELECT id, key, type, resource_id, version, method, created_at FROM outbox WHERE NOT fanned_out ORDER BY id LIMIT $1) o
  ON true ORDER BY o.id"""
_FANNED_OUT = """WITH done AS (UPDATE outbox SET fanned_out = true WHERE id = ANY($1::bigint[]))
  SELECT id, last_number FROM subscription"""
Bodies = dict[tuple[int, int], Version]  # by key and version


class Fanout:
    """Leads the fan-out of one schema while it holds the advisory lock on its own connection."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._topics = {topic.url: topic for topic in kernel.service.topics}
        self._connection: asyncpg.Connection | None = None
        self._numbers: dict[str, int] = {}
        self._complete_at: datetime | None = None

    async def step(self) -> bool:
        """One round; True when there may be more to do at once."""
        connection = await self._lead()
        if connection is None:
            return False
        async with connection.transaction():
            fake_now = self._kernel.clock.now() if self._kernel.fake_time else None
            found = await connection.fetch(_WAITING, _MOST)
            seen_at = fake_now or found[0]["seen_at"]
            events = [event for event in found if event["id"] is not None]
            if events:
                await self._spread(connection, events)
            more = len(events) == _MOST
            lanes = await connection.fetch(_FANNED_OUT, [event["id"] for event in events])
            numbers = {lane["id"]: lane["last_number"] for lane in lanes}
        if events:
            oldest = min(event["created_at"] for event in events)
            self._kernel.meters.fanout_lag.observe(max(0.0, (found[0]["seen_at"] - oldest).total_seconds()))
        if not more:
            self._numbers, self._complete_at = numbers, seen_at
        return more

    def complete(self, lane: str) -> tuple[int, datetime] | None:
        """Up to which number and moment a lane's events are known; None for a new lane or a follower process."""
        if self._complete_at is None or lane not in self._numbers:
            return None
        return self._numbers[lane], self._complete_at

    async def close(self) -> None:
        """Give the lead to another replica."""
        if self._connection is not None:
            connection, self._connection = self._connection, None
            if not connection.is_closed():
                await connection.execute("SELECT pg_advisory_unlock_all()")
            await self._kernel.store.pool.release(connection)

    async def _lead(self) -> asyncpg.Connection | None:
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        if self._connection is not None:
            await self.close()
        connection: asyncpg.Connection = await self._kernel.store.pool.acquire()
        try:
            if await connection.fetchval(
                "SELECT pg_try_advisory_lock($1)", lock_number("fanout", self._kernel.store.schema)
            ):
                self._connection = connection
        finally:
            if self._connection is None:
                await self._kernel.store.pool.release(connection)
        return self._connection

    def _hearers(self, lane: asyncpg.Record) -> Sequence[Hearer]:
        """What a lane waits for; a topic that is no longer offered tells nothing."""
        zone = self._kernel.zone
        if lane["topic"]:
            topic = self._topics.get(lane["topic"].partition("|")[0])
            return _heard(topic, tuple(lane["filters"]), zone) if topic else ()
        asked = criteria_of(lane["criteria"], zone)
        return [OfCopies(one) for one in asked] if lane["internal"] else [OfCriteria(one) for one in asked]

    async def _spread(self, connection: asyncpg.Connection, events: list[asyncpg.Record]) -> None:
        lanes = await connection.fetch(
            "SELECT id, internal, criteria, topic, filters, ends_at, client, practitioner, patient, scopes, last_number "
            "FROM subscription WHERE status <> 'off' ORDER BY id FOR UPDATE"
        )
        numbers = {lane["id"]: lane["last_number"] for lane in lanes}
        deliveries = []
        asked: dict[str, list[tuple[asyncpg.Record, Hearer]]] = {
            type_: [] for type_ in {event["type"] for event in events}
        }  # by type: lanes with what they wait for
        for lane in lanes:
            for hearer in self._hearers(lane):
                if hearer.type in asked:
                    asked[hearer.type].append((lane, hearer))
        bodies = await _bodies(connection, [event for event in events if asked[event["type"]]], self._kernel.zone)
        for event in events:
            for lane_id in _hits(event, asked[event["type"]], bodies):
                numbers[lane_id] += 1
                deliveries.append(_delivery(lane_id, numbers[lane_id], event))
        if not deliveries:
            return
        await connection.executemany(
            "INSERT INTO delivery (subscription, number, key, type, resource_id, version, method, event_at, attempt_id) "
            "VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
            deliveries,
        )
        changed = [(lane["id"], numbers[lane["id"]]) for lane in lanes if numbers[lane["id"]] != lane["last_number"]]
        await connection.executemany("UPDATE subscription SET last_number = $2 WHERE id = $1", changed)


def _hits(event: asyncpg.Record, asked: list[tuple[asyncpg.Record, Hearer]], bodies: Bodies) -> dict[str, None]:
    """The lanes to which the write is an event that they may know of."""
    if not asked:
        return {}
    key, version, method = event["key"], event["version"], event["method"]
    change = Change(method, bodies.get((key, version - 1)), bodies.get((key, version)))
    return {
        lane["id"]: None
        for lane, hearer in asked
        if (lane["ends_at"] is None or event["created_at"] < lane["ends_at"])
        and hearer.hears(change)
        and (lane["internal"] or may_be_told(subscriber(lane), change.subject))
    }


async def _bodies(connection: asyncpg.Connection, events: list[asyncpg.Record], zone: tzinfo) -> Bodies:
    """These events' versions and the ones before them, without deletions; types nobody asks for are not read."""
    if not events:
        return {}
    rows_ = await connection.fetch(
        "SELECT v.key, v.version, v.body, v.audience FROM version v JOIN unnest($1::bigint[], $2::int[]) AS w(key, version) "
        "ON v.key = w.key AND v.version IN (w.version, w.version - 1) WHERE v.method <> 'DELETE'",
        [event["key"] for event in events],
        [event["version"] for event in events],
    )
    return {(row["key"], row["version"]): _version(row, zone) for row in rows_}


def _version(row: asyncpg.Record, zone: tzinfo) -> Version:
    audience = row["audience"]
    return Version(row["body"], zone, None if audience is None else tuple(audience))


def _delivery(lane: str, number: int, event: asyncpg.Record) -> tuple[Any, ...]:
    columns = ("key", "type", "resource_id", "version", "method", "created_at")
    return (lane, number, *(event[name] for name in columns), str(uuid.uuid4()))


@lru_cache(maxsize=512)
def criteria_of(text: str, zone: tzinfo) -> tuple[Criteria, ...]:
    """A lane's criteria: one for an outside Subscription, one per line for a following service."""
    return tuple(read(line, zone) for line in text.splitlines())


@lru_cache(maxsize=512)
def _heard(topic: Topic, filters: tuple[str, ...], zone: tzinfo) -> tuple[Hearer, ...]:
    return of_topic(topic, filters, zone)
