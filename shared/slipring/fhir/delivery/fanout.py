"""The fan-out: one leader per schema turns outbox rows into numbered deliveries.

It takes every row that is not yet fanned out (never "id > cursor": sequences commit out of order), by id, and in
one transaction matches the subscriptions, raises each `last_number` and writes the deliveries.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import asyncpg

from slipring.fhir.kernel import Kernel
from slipring.fhir.search.criteria import Criteria, parse
from slipring.fhir.search.index import Rows, rows
from slipring.fhir.search.match import matches
from slipring.fhir.store.engine import lock_number

_MOST = 500


class Fanout:
    """Leads the fan-out of one schema while it holds the advisory lock on its own connection."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._connection: asyncpg.Connection | None = None
        self._numbers: dict[str, int] = {}
        self._complete_at: datetime | None = None

    async def step(self) -> bool:
        """One round; True when there may be more to do at once."""
        connection = await self._lead()
        if connection is None:
            return False
        async with connection.transaction():
            fake = self._kernel.fake_time
            seen_at = self._kernel.clock.now() if fake else await connection.fetchval("SELECT clock_timestamp()")
            events = await connection.fetch(
                "SELECT o.id, o.key, o.type, o.resource_id, o.version, o.method, o.created_at, v.body, p.body AS previous "
                "FROM outbox o JOIN version v ON v.key = o.key AND v.version = o.version "
                "LEFT JOIN version p ON p.key = o.key AND p.version = o.version - 1 "
                "WHERE NOT o.fanned_out ORDER BY o.id LIMIT $1",
                _MOST,
            )
            if events:
                await self._spread(connection, events)
                await connection.execute(
                    "UPDATE outbox SET fanned_out = true WHERE id = ANY($1::bigint[])",
                    [event["id"] for event in events],
                )
            more = len(events) == _MOST
            numbers = {
                r["id"]: r["last_number"] for r in await connection.fetch("SELECT id, last_number FROM subscription")
            }
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
        if await connection.fetchval(
            "SELECT pg_try_advisory_lock($1)", lock_number("fanout", self._kernel.store.schema)
        ):
            self._connection = connection
            return connection
        await self._kernel.store.pool.release(connection)
        return None

    def _state(self, body: str) -> tuple[Rows, dict[str, Any]]:
        tree = json.loads(body, parse_float=Decimal)
        return rows(tree, self._kernel.zone), tree

    async def _spread(self, connection: asyncpg.Connection, events: list[asyncpg.Record]) -> None:
        lanes = await connection.fetch(
            "SELECT id, internal, criteria, last_number FROM subscription WHERE status <> 'off' ORDER BY id FOR UPDATE"
        )
        numbers = {lane["id"]: lane["last_number"] for lane in lanes}
        deliveries = []
        for event in events:
            now, earlier = self._state(event["body"]), None
            for lane in lanes:
                criteria = [c for c in criteria_of(lane["criteria"], self._kernel.zone) if c.type == event["type"]]
                hit = bool(criteria) and (event["method"] == "DELETE" or any(matches(c, *now) for c in criteria))
                if criteria and not hit and lane["internal"] and event["previous"]:
                    # What leaves the criteria concerns a follower too: its copy would stay as it was.
                    earlier = earlier or self._state(event["previous"])
                    hit = any(matches(c, *earlier) for c in criteria)
                if hit:
                    numbers[lane["id"]] += 1
                    deliveries.append(_delivery(lane["id"], numbers[lane["id"]], event))
        await connection.executemany(
            "INSERT INTO delivery (subscription, number, key, type, resource_id, version, method, event_at, attempt_id) "
            "VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
            deliveries,
        )
        changed = [(lane["id"], numbers[lane["id"]]) for lane in lanes if numbers[lane["id"]] != lane["last_number"]]
        await connection.executemany("UPDATE subscription SET last_number = $2 WHERE id = $1", changed)


def _delivery(lane: str, number: int, event: asyncpg.Record) -> tuple[Any, ...]:
    columns = ("key", "type", "resource_id", "version", "method", "created_at")
    return (lane, number, *(event[name] for name in columns), str(uuid.uuid4()))


@lru_cache(maxsize=512)
def criteria_of(text: str, zone: tzinfo) -> tuple[Criteria, ...]:
    """A lane's criteria: one for an outside Subscription, one per line for a following service."""
    found = []
    for line in text.splitlines():
        resource_type, _, query = line.partition("?")
        found.append(parse(resource_type, parse_qsl(query, keep_blank_values=True), zone=zone))
    return tuple(found)
