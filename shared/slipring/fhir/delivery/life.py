"""What becomes of a Backport subscription between its events: handshake, heartbeat, the error that comes of them, its end.

Any replica takes what is due; the due time is pushed ahead in the statement that takes it, so that two never take the
same and what a killed one had taken is due again soon. Deadlines are judged by the database's clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
import httpx
import structlog

from slipring.fhir.delivery.notification import Fields, Kind, Notification, backport
from slipring.fhir.delivery.telling import SILENCED, Silenced, listener_of
from slipring.fhir.kernel import Kernel

Post = Callable[[Fields, Notification, dict[str, str]], Awaitable[tuple[int, str]]]
_LOG = structlog.get_logger("slipring.delivery")
_MOST = 16
_TAKEN_FOR = timedelta(seconds=90)  # longer than any endpoint may take
_LONGEST_WAIT_SECONDS = 60.0

_END = """UPDATE subscription SET status = 'off', error = '' WHERE ends_at <= clock_timestamp() AND status <> 'off'"""
_TAKE = """UPDATE subscription SET life_at = clock_timestamp() + $1::interval WHERE id IN (
  SELECT id FROM subscription WHERE life_at <= clock_timestamp() AND NOT internal ORDER BY life_at LIMIT $2
  FOR UPDATE SKIP LOCKED) RETURNING *, clock_timestamp() AS taken_at"""
# The answer counts for the lane that was asked: not for another endpoint, and not for one turned off meanwhile.
_SAME = "WHERE id = $1 AND endpoint = $2 AND headers = $3 AND content = $4 AND status <> 'off'"
_ANSWERED = f"""UPDATE subscription SET status = 'active', error = '', failures = 0, next_attempt_at = NULL, unverified = false,
  sent_at = clock_timestamp(), life_at = {{next}} {_SAME} RETURNING id"""
_FAILED = f"""UPDATE subscription SET status = 'error', error = $5, failures = failures + 1,
  life_at = clock_timestamp() + $6::interval {_SAME}"""
_BEAT = "CASE WHEN heartbeat_seconds > 0 THEN clock_timestamp() + heartbeat_seconds * interval '1 second' END"
_WAIT = "UPDATE subscription SET life_at = $2 WHERE id = $1"
# A search by status finds what a read shows; the stored versions stay as they are.
_MOVED = """UPDATE subscription SET searched_as = status WHERE NOT internal AND searched_as <> status RETURNING id"""
_FOUND_BY = """UPDATE search_token t SET code = s.status FROM subscription s JOIN resource r ON r.type = 'Subscription' AND r.id = s.id
  WHERE s.id = ANY($1::text[]) AND NOT r.deleted AND t.key = r.key AND t.parameter = 'Subscription.status'"""


class Life:
    """Shakes hands, beats and ends the outside subscriptions of one schema."""

    def __init__(self, kernel: Kernel, post: Post) -> None:
        self._kernel = kernel
        self._post = post
        self._running: set[asyncio.Task[None]] = set()

    async def step(self) -> None:
        """Start what is due."""
        pool = self._kernel.store.pool
        await pool.execute(_END)
        for lane in await pool.fetch(_TAKE, _TAKEN_FOR, _MOST):
            task = asyncio.create_task(self._go_on(lane))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        await self._found_by_status()

    async def close(self) -> None:
        """Stop; what was taken is due again when its time is over."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _found_by_status(self) -> None:
        # Two statements: the second sees what a write left that the first had to wait for.
        async with self._kernel.store.pool.acquire() as connection, connection.transaction():
            if moved := [row["id"] for row in await connection.fetch(_MOVED)]:
                await connection.execute(_FOUND_BY, moved)

    async def _go_on(self, lane: asyncpg.Record) -> None:
        try:
            if lane["unverified"] and lane["status"] != "off":
                await self._say("handshake", lane)
            else:
                await self._beat(lane)
        except Exception as error:
            _LOG.warning("subscription stumbled", lane=lane["id"], kind=type(error).__name__)

    async def _beat(self, lane: asyncpg.Record) -> None:
        """A heartbeat when nothing was sent for a period; while events are on their way they are sign enough."""
        period = timedelta(seconds=lane["heartbeat_seconds"])
        if not period or lane["status"] == "off":
            await self._kernel.store.pool.execute(_WAIT, lane["id"], None)
        elif lane["delivered_number"] < lane["last_number"]:
            await self._kernel.store.pool.execute(_WAIT, lane["id"], lane["taken_at"] + period)
        elif lane["sent_at"] is not None and lane["taken_at"] < lane["sent_at"] + period:
            await self._kernel.store.pool.execute(_WAIT, lane["id"], lane["sent_at"] + period)
        else:
            await self._say("heartbeat", lane)

    async def _say(self, kind: Kind, lane: asyncpg.Record) -> None:
        kernel, pool = self._kernel, self._kernel.store.pool
        message = backport(kernel.base, lane, kind, [], kernel.now())
        try:
            await listener_of(kernel, lane)
            status, error = await self._post(lane, message, {})
        except Silenced:
            status, error = 0, SILENCED
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as failure:
            status, error = 0, type(failure).__name__
        asked = (lane["id"], lane["endpoint"], lane["headers"], lane["content"])
        if 200 <= status < 300:
            if await pool.fetchval(_ANSWERED.format(next=_BEAT), *asked):
                kernel.store.written.set()  # what waited for the handshake may go
            return
        wait = min(_LONGEST_WAIT_SECONDS, 0.5 * 2 ** min(lane["failures"], 10))
        await pool.execute(_FAILED, *asked, error, timedelta(seconds=wait))
        _LOG.info("subscription unanswered", lane=lane["id"], notification=kind, error=error)
