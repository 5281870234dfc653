"""The rows of lanes and their numbered events: claimed by lease, tried, settled, parked, under a fencing number.

A lane belongs to one worker for the length of its lease. Each time it changes hands its fence rises, and nothing is
written for it but under the fence it was claimed with.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg

LEASE_SECONDS = 10.0
RENEW_SECONDS = 3.0
_LEASE = timedelta(seconds=LEASE_SECONDS)
_SAFETY_SECONDS = 0.5  # a lease is given up a little before the database gives it to others
_AT_ONCE = 4  # statements of all lanes together: requests need connections too

# A worker that lives holds an advisory lock of its number. Read only for rows that another worker holds, at most once.
LIVING = "ARRAY(SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted)"
FREE = f"(worker IS NULL OR worker = $2 OR lease_until < clock_timestamp() OR worker <> ALL ({LIVING}))"

_WAITING = """WITH RECURSIVE lane(id) AS (
    SELECT min(subscription) FROM delivery WHERE state = 'waiting'
    UNION ALL
    SELECT (SELECT min(subscription) FROM delivery WHERE state = 'waiting' AND subscription > lane.id) FROM lane
      WHERE lane.id IS NOT NULL)
  SELECT s.id FROM lane JOIN subscription s ON s.id = lane.id WHERE s.status <> 'off' AND NOT s.unverified"""
_CLAIM = f"""WITH mine AS MATERIALIZED (SELECT id FROM subscription WHERE id = ANY($1::text[]) AND status <> 'off' AND NOT unverified
    AND (next_attempt_at IS NULL OR next_attempt_at <= clock_timestamp()) AND {FREE} ORDER BY id FOR UPDATE)
  UPDATE subscription s SET worker = $2, lease_until = clock_timestamp() + $3::interval, fence = fence + 1
    FROM mine WHERE s.id = mine.id RETURNING s.*"""
_RENEW = """UPDATE subscription SET lease_until = clock_timestamp() + $4::interval
  WHERE id = $1 AND worker = $2 AND fence = $3 AND lease_until > clock_timestamp() RETURNING id"""
_REST = "UPDATE subscription SET worker = NULL, lease_until = NULL WHERE id = $1 AND worker = $2 AND fence = $3"
_LOOK = """SELECT s.*, d.number, d.key, d.type, d.resource_id, d.version, d.method, d.event_at, d.attempt_id, d.attempts
  FROM subscription s LEFT JOIN LATERAL (SELECT * FROM delivery WHERE subscription = s.id AND state = 'waiting'
    AND key <> ALL($4::bigint[]) ORDER BY number LIMIT $5) d ON true
  WHERE s.id = $1 AND s.worker = $2 AND s.fence = $3 AND s.status <> 'off' AND NOT s.unverified ORDER BY d.number"""
_TRY = """WITH begun AS (UPDATE delivery SET attempts = attempts + 1
    WHERE subscription = $1 AND number = ANY($4::bigint[]) AND state = 'waiting' AND EXISTS (SELECT FROM subscription
      WHERE id = $1 AND worker = $2 AND fence = $3 AND status <> 'off' AND lease_until > clock_timestamp())
    RETURNING number, key, version - (method = 'DELETE')::int AS about, attempts)
  SELECT b.number, b.attempts, v.body, v.audience FROM begun b LEFT JOIN version v ON v.key = b.key AND v.version = b.about"""
# Where nothing was sent ($8 is false), the lane's standing stays what it was: its endpoint has said nothing. The limit
# cuts nothing off: it keeps the planner from planning anew each time, which over all months costs more than the update.
_SETTLE = """WITH held AS (UPDATE subscription SET failures = CASE WHEN $8 THEN 0 ELSE failures END,
    next_attempt_at = CASE WHEN NOT $8 THEN next_attempt_at END, error = CASE WHEN $8 THEN $7 ELSE error END,
    sent_at = CASE WHEN $8 THEN clock_timestamp() ELSE sent_at END,
    status = CASE WHEN status = 'off' OR NOT $8 THEN status WHEN $7 <> '' THEN 'error' ELSE 'active' END,
    delivered_number = coalesce((SELECT min(number) - 1 FROM delivery WHERE subscription = $1 AND state = 'waiting'
      AND number <> ALL($4::bigint[])), greatest(delivered_number, (SELECT max(number) FROM delivery WHERE subscription = $1)))
    WHERE id = $1 AND worker = $2 AND fence = $3 RETURNING id),
  done AS (UPDATE delivery d SET state = r.state, error = r.error, delivered_at = clock_timestamp()
    FROM (SELECT * FROM unnest($4::bigint[], $5::text[], $6::text[]) LIMIT $9::bigint) r(number, state, error)
    WHERE d.subscription = $1 AND d.number = r.number AND d.state = 'waiting' AND EXISTS (SELECT FROM held))
  SELECT id FROM held"""
_FAILED = """WITH held AS (UPDATE subscription SET status = CASE WHEN status = 'off' THEN 'off' ELSE 'error' END, error = $5,
    failures = failures + $6::int, worker = CASE WHEN $6 = 0 THEN worker END,
    next_attempt_at = CASE WHEN $6 > 0 THEN clock_timestamp() + $7::interval END
    WHERE id = $1 AND worker = $2 AND fence = $3 RETURNING failures),
  told AS (UPDATE delivery SET error = $5 WHERE subscription = $1 AND number = ANY($4::bigint[]) AND state = 'waiting'
    AND EXISTS (SELECT FROM held))
  SELECT failures FROM held"""


def uptime() -> float:
    """Seconds that pass also while the process or the machine is asleep: what a lease is counted by."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


@dataclass(slots=True)
class Hold:
    """What one worker holds of a lane: its row as last read, its fence, and until when by this machine's own clock."""

    lane: dict[str, Any]
    fence: int
    since: float

    @property
    def held(self) -> bool:
        """Whether the lease cannot have run out yet."""
        return uptime() < self.since + LEASE_SECONDS - _SAFETY_SECONDS

    @property
    def stale(self) -> bool:
        """Whether it is time to renew it."""
        return uptime() > self.since + RENEW_SECONDS


@dataclass(frozen=True, slots=True)
class Settled:
    """One event that is done with."""

    number: int
    state: str  # delivered, parked, withheld
    error: str = ""

    @property
    def sent(self) -> bool:
        """Whether the endpoint had it and answered."""
        return self.state != "withheld"


class Queue:
    """The lanes of one schema as one worker sees them."""

    def __init__(self, pool: asyncpg.Pool, worker: int) -> None:
        self._pool = pool
        self._worker = worker
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def waiting(self) -> set[str]:
        """The lanes in which anything waits: one step of an index for each, however much waits in it."""
        return {row["id"] for row in await self._fetch(_WAITING)}

    async def claim(self, lanes: Collection[str]) -> list[Hold]:
        """Those of the lanes that are due and free, or whose worker is dead or late, are this worker's from now on."""
        since = uptime()
        rows = await self._fetch(_CLAIM, sorted(lanes), self._worker, _LEASE)
        return [Hold(dict(row), row["fence"], since) for row in rows]

    async def renew(self, hold: Hold) -> bool:
        """Hold on to a lane; False when it is somebody else's."""
        since = uptime()
        if not await self._fetch(_RENEW, *self._mine(hold), _LEASE):
            return False
        hold.since = since
        return True

    async def rest(self, hold: Hold) -> None:
        """Let go of a lane that has nothing to send, so that any worker may take it up."""
        await self._fetch(_REST, *self._mine(hold))

    async def look(self, hold: Hold, without: Sequence[int], most: int) -> list[dict[str, Any]] | None:
        """The next events that wait, leaving out some resources (by key); None when the lane is not ours to serve."""
        rows = await self._fetch(_LOOK, *self._mine(hold), list(without), most)
        if not rows:
            return None
        hold.lane = dict(rows[0])
        return [dict(row) for row in rows if row["number"] is not None]

    async def begin(self, hold: Hold, events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Note the attempt before it is made, under the lease; the events that may be sent, each with its text.

        Of a deletion it is the text that was taken away: for judging who may know of it, not for sending.
        """
        numbers = [event["number"] for event in events]
        begun = {row["number"]: row for row in await self._fetch(_TRY, *self._mine(hold), numbers)}
        return [{**event, **begun[event["number"]]} for event in events if event["number"] in begun]

    async def settle(self, hold: Hold, done: Sequence[Settled], error: str = "") -> bool:
        """Write what became of events; `error` stands while others of the lane still fail. False: not ours any more."""
        columns = [[one.number for one in done], [one.state for one in done], [one.error for one in done]]
        sent = any(one.sent for one in done)
        return bool(await self._fetch(_SETTLE, *self._mine(hold), *columns, error, sent, len(done)))

    async def failed(self, hold: Hold, numbers: Sequence[int], error: str, wait: float | None) -> int | None:
        """Write that events could not be delivered; with `wait` (seconds) the whole lane rests so long and is let go.

        How many failures in a row the lane now has; None when it is not ours any more.
        """
        pause = timedelta(seconds=wait or 0.0)
        rows = await self._fetch(_FAILED, *self._mine(hold), list(numbers), error, int(wait is not None), pause)
        return rows[0]["failures"] if rows else None

    def _mine(self, hold: Hold) -> tuple[str, int, int]:
        return hold.lane["id"], self._worker, hold.fence

    async def _fetch(self, sql: str, *arguments: Any) -> list[Any]:
        async with self._gate:
            rows: list[Any] = await self._pool.fetch(sql, *arguments)
        return rows
