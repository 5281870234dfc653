"""The fan-out: one leader per schema turns outbox rows into numbered deliveries.

It takes every row that is not yet fanned out (never "id > cursor": sequences commit out of order), by id, and in
one transaction matches the subscriptions, raises each `last_number` and writes the deliveries.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import asyncpg

from slipring.fhir.kernel import Kernel
from slipring.fhir.search.criteria import Criteria, parse
from slipring.fhir.search.index import rows
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
            seen_at = await connection.fetchval("SELECT clock_timestamp()")
            events = await connection.fetch(
                "SELECT o.id, o.key, o.type, o.resource_id, o.version, o.method, o.created_at, v.body FROM outbox o "
                "JOIN version v ON v.key = o.key AND v.version = o.version WHERE NOT o.fanned_out ORDER BY o.id LIMIT $1",
                _MOST,
            )
            if events:
                await self._spread(connection, events)
                await connection.execute(
                    "UPDATE outbox SET fanned_out = true WHERE id = ANY($1::bigint[])", [event["id"] for event in events]
                )
            more = len(events) == _MOST
            numbers = {r["id"]: r["last_number"] for r in await connection.fetch("SELECT id, last_number FROM subscription")}
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
            await self._kernel.store.pool.release(self._connection)
            self._connection = None

    async def _lead(self) -> asyncpg.Connection | None:
        if self._connection is not None and not self._connection.is_closed():
            return self._connection
        if self._connection is not None:
            await self.close()
        connection = await self._kernel.store.pool.acquire()
        if await connection.fetchval("SELECT pg_try_advisory_lock($1)", lock_number("fanout", self._kernel.store.schema)):
            self._connection = connection
            return connection
        await self._kernel.store.pool.release(connection)
        return None

    async def _spread(self, connection: asyncpg.Connection, events: list[asyncpg.Record]) -> None:
        lanes = await connection.fetch(
            "SELECT id, criteria, last_number FROM subscription WHERE status <> 'off' ORDER BY id FOR UPDATE"
        )
        numbers = {lane["id"]: lane["last_number"] for lane in lanes}
        deliveries = []
        for event in events:
            tree = json.loads(event["body"], parse_float=Decimal)
            indexed = rows(tree, self._kernel.zone)
            for lane in lanes:
                if any(_hits(criteria, event, tree, indexed) for criteria in _criteria(lane["criteria"])):
                    numbers[lane["id"]] += 1
                    deliveries.append(
                        (
                            lane["id"], numbers[lane["id"]], event["key"], event["type"], event["resource_id"],
                            event["version"], event["method"], event["created_at"], str(uuid.uuid4()),
                        )
                    )
        await connection.executemany(
            "INSERT INTO delivery (subscription, number, key, type, resource_id, version, method, event_at, attempt_id) "
            "VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)",
            deliveries,
        )
        changed = [(lane["id"], numbers[lane["id"]]) for lane in lanes if numbers[lane["id"]] != lane["last_number"]]
        await connection.executemany("UPDATE subscription SET last_number = $2 WHERE id = $1", changed)


def _hits(criteria: Criteria, event: asyncpg.Record, tree: dict[str, Any], indexed: Any) -> bool:
    """A deletion concerns everyone who may hold the resource; other events must match."""
    if criteria.type != event["type"]:
        return False
    return event["method"] == "DELETE" or matches(criteria, indexed, tree)


@lru_cache(maxsize=512)
def _criteria(text: str) -> tuple[Criteria, ...]:
    """A lane's criteria: one for an outside Subscription, one per line for a following service."""
    found = []
    for line in text.splitlines():
        resource_type, _, query = line.partition("?")
        found.append(parse(resource_type, parse_qsl(query, keep_blank_values=True)))
    return tuple(found)
