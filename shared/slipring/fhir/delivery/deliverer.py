"""Delivery: a queue per subscriber, in number order, one notification in flight, retried until delivered or parked.

At least once: a repeat carries the same `Idempotency-Key` and `Slipring-Repeat: true`. The lease is checked right
before sending and the result is written under its fencing token, so a resumed worker that lost it changes nothing.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx
import structlog

from slipring.fhir.delivery.fanout import Fanout
from slipring.fhir.delivery.notification import Fields, Notification, followed
from slipring.fhir.delivery.sending import Sender, post
from slipring.fhir.delivery.telling import notification_of
from slipring.fhir.interactions.respond import FHIR_JSON
from slipring.fhir.kernel import Kernel

_LOG = structlog.get_logger("slipring.delivery")
_LEASE = timedelta(seconds=10)
_PULSE_SECONDS = 2.0
_MOST = 100
_CONTENT_REFUSED = (400, 409, 413, 415, 422)
_LONGEST_WAIT_SECONDS = 60.0
_ENDPOINT_SECONDS = 10.0
_PEER_SECONDS = 30.0
_LONGEST_PEER_WAIT_SECONDS = 2.0


class Deliverer:
    """Runs the lanes of one schema; several replicas share them by lease."""

    def __init__(self, kernel: Kernel, fanout: Fanout, worker: int, outside: Sender, follow: Any) -> None:
        self._kernel = kernel
        self._fanout = fanout
        self._worker = worker
        self._outside = outside
        self._follow = follow  # service name -> httpx.AsyncClient to that follower
        self._running: dict[str, asyncio.Task[None]] = {}
        self._pulsed: dict[str, float] = {}

    async def step(self) -> None:
        """Start a task for every lane that has work and none running."""
        lanes = await self._kernel.store.pool.fetch(
            "SELECT * FROM subscription WHERE status <> 'off' AND NOT unverified "
            "AND (next_attempt_at IS NULL OR next_attempt_at <= clock_timestamp()) "
            "AND (delivered_number < last_number OR internal)"
        )
        now = asyncio.get_running_loop().time()
        for lane in lanes:
            task = self._running.get(lane["id"])
            waiting = lane["delivered_number"] < lane["last_number"]
            known = self._fanout.complete(lane["id"]) is not None  # only the fan-out's leader can date a copy
            pulse_due = lane["internal"] and known and now - self._pulsed.get(lane["id"], 0.0) >= _PULSE_SECONDS
            if (task is None or task.done()) and (waiting or pulse_due):
                self._running[lane["id"]] = asyncio.create_task(self._run(lane["id"]))

    async def close(self) -> None:
        """Stop sending; what was in flight is repeated, marked, by the next worker."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def _run(self, lane_id: str) -> None:
        try:
            while await self._send_next(lane_id):
                pass
            await self._rest(lane_id)
        except Exception as error:
            _LOG.warning("lane paused", lane=lane_id, kind=type(error).__name__)

    async def _rest(self, lane_id: str) -> None:
        """Let go of a lane that has nothing to send, so that any replica may take it up."""
        await self._kernel.store.pool.execute(
            "UPDATE subscription SET worker = NULL, lease_until = NULL WHERE id = $1 AND worker = $2",
            lane_id,
            self._worker,
        )

    async def _send_next(self, lane_id: str) -> bool:
        """Send the next notification of a lane; False when it rests."""
        pool = self._kernel.store.pool
        lane = await pool.fetchrow(
            "UPDATE subscription SET worker = $2, lease_until = clock_timestamp() + $3::interval, fence = fence + 1 "
            "WHERE id = $1 AND status <> 'off' AND NOT unverified "
            "AND (worker IS NULL OR worker = $2 OR lease_until < clock_timestamp() OR NOT EXISTS "
            "(SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND ((classid::bigint << 32) | objid::bigint) = worker)) "
            "RETURNING *",
            lane_id,
            self._worker,
            _LEASE,
        )
        if lane is None:
            return False
        complete = self._fanout.complete(lane_id)
        events = await pool.fetch(
            "SELECT d.*, v.body FROM delivery d LEFT JOIN version v ON v.key = d.key AND v.version = d.version "
            "WHERE d.subscription = $1 AND d.state = 'waiting' ORDER BY d.number LIMIT $2",
            lane_id,
            _MOST if lane["internal"] else lane["max_count"],
        )
        if not events:
            if lane["internal"] and complete and complete[0] == lane["delivered_number"]:
                self._pulsed[lane_id] = asyncio.get_running_loop().time()
                await self._notify(dict(lane), [], complete)
            return False
        await pool.execute(
            "UPDATE delivery SET attempts = attempts + 1 WHERE subscription = $1 AND number = ANY($2::bigint[])",
            lane_id,
            [event["number"] for event in events],
        )
        status, error = await self._notify(dict(lane), [dict(event) for event in events], None)
        return await self._record(lane, events, status, error)

    async def _notify(self, lane: Fields, events: list[Fields], pulse: Any) -> tuple[int, str]:
        """POST one notification; the status, or 0 and the kind of failure."""
        repeat = any(event["attempts"] > 0 for event in events)
        headers = {"Idempotency-Key": events[0]["attempt_id"], "Slipring-Repeat": str(repeat).lower()} if events else {}
        try:
            if lane["internal"]:
                text = followed(self._kernel, lane, events, pulse)
                client = self._follow(lane["follower"])
                message = Notification(text.encode(), {**headers, "Content-Type": FHIR_JSON})
                answer = await post(client, lane["endpoint"], message, held=lambda: True, seconds=_PEER_SECONDS)
                return answer.status, answer.error
            return await self._rest_hook(lane, events, headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return 0, type(error).__name__

    async def _rest_hook(self, lane: Fields, events: list[Fields], headers: dict[str, str]) -> tuple[int, str]:
        return await self.post(lane, await notification_of(self._kernel, lane, events), headers)

    async def post(self, lane: Fields, message: Notification, headers: dict[str, str]) -> tuple[int, str]:
        """POST to a lane's endpoint; the status, or 0 and why nothing was sent."""
        if not self._kernel.demo and urlsplit(lane["endpoint"]).hostname in ("localhost", "127.0.0.1", "::1"):
            return 0, "loopback endpoints are notified in demo mode only"
        headers = dict(headers)
        for header in lane["headers"]:
            name, _, value = header.partition(":")
            headers[name.strip()] = value.strip()
        message = Notification(message.content, headers | message.headers)
        seconds = lane["timeout_seconds"] or _ENDPOINT_SECONDS
        answer = await self._outside.send(lane, message, held=lambda: True, seconds=seconds)
        return answer.status, answer.error

    async def _record(self, lane: asyncpg.Record, events: list[asyncpg.Record], status: int, error: str) -> bool:
        numbers = [event["number"] for event in events]
        parked = status in _CONTENT_REFUSED and not lane["internal"]
        self._kernel.meters.notified(status, parked=parked)
        pool = self._kernel.store.pool
        if 200 <= status < 300 or parked:
            async with pool.acquire() as connection, connection.transaction():
                kept = await connection.fetchval(
                    "UPDATE subscription SET delivered_number = $3, failures = 0, error = '', status = 'active', "
                    "next_attempt_at = NULL, sent_at = clock_timestamp() WHERE id = $1 AND fence = $2 RETURNING id",
                    lane["id"],
                    lane["fence"],
                    numbers[-1],
                )
                if kept:
                    await connection.execute(
                        "UPDATE delivery SET state = $3, error = $4, delivered_at = clock_timestamp() "
                        "WHERE subscription = $1 AND number = ANY($2::bigint[])",
                        lane["id"],
                        numbers,
                        "parked" if parked else "delivered",
                        error,
                    )
            if parked:
                _LOG.warning("delivery parked", lane=lane["id"], number=numbers[0], error=error)
            return kept is not None
        # A sister service that is back must not wait for its alerts; an outside endpoint is left in peace longer.
        longest = _LONGEST_PEER_WAIT_SECONDS if lane["internal"] else _LONGEST_WAIT_SECONDS
        wait = min(longest, 0.5 * 2 ** min(lane["failures"], 10))
        await pool.execute(
            "UPDATE subscription SET failures = failures + 1, error = $3, status = 'error', worker = NULL, "
            "next_attempt_at = clock_timestamp() + $4::interval WHERE id = $1 AND fence = $2",
            lane["id"],
            lane["fence"],
            error,
            timedelta(seconds=wait),
        )
        return False
