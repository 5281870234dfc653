"""Durable timers and errands: claimed by any worker of any replica, completed by exactly one commit.

A claim is a lease with a fencing number. A killed worker's claims are free as soon as the database sees its
connection gone; a paused one's when the lease ends.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import asyncpg
import asyncpg.exceptions
import httpx
import structlog

from slipring.fhir.act import ARRIVAL, Act, decided, perform
from slipring.fhir.caller import itself
from slipring.fhir.delivery.after_sending import on_what_stands
from slipring.fhir.delivery.claims import LEASE_SECONDS, Claims
from slipring.fhir.delivery.clockwatch import ClockWatch, Jump, Reading
from slipring.fhir.delivery.owing import react
from slipring.fhir.delivery.places import CLAIM, Places
from slipring.fhir.delivery.queue import uptime
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.service import Changes, Desk, Due, Errand
from slipring.fhir.store.batch import Overtaken, Taking
from slipring.fhir.store.engine import lock_number

_LOG = structlog.get_logger("slipring.timers")
_LEASE = timedelta(seconds=LEASE_SECONDS)
_LONGEST_WAIT_SECONDS = 30.0

_NEXT = """SELECT clock_timestamp() AS database, extract(epoch FROM (SELECT min(due_at) FROM timer
  WHERE due_at > (SELECT clock_timestamp())) - clock_timestamp())::float8 AS seconds"""
_STANDS = "SELECT 1 FROM timer WHERE id = $1 AND fence = $2 AND lease_until > clock_timestamp()"
# A deadline of the other side of a jump: what is left of it stays what it was.
_SHIFTED = (
    "UPDATE timer SET due_at = due_at + $1::interval, lease_until = lease_until + $1::interval",
    "UPDATE subscription SET lease_until = lease_until + $1::interval, next_attempt_at = next_attempt_at + $1::interval, "
    "life_at = life_at + $1::interval WHERE coalesce(lease_until, next_attempt_at, life_at) IS NOT NULL",
)
_SAME_JUMP_SECONDS = 30.0  # within this time another worker's word on a jump is about the same one


class Timers:
    """Fires what is due in one schema."""

    def __init__(self, kernel: Kernel, worker: int, http: httpx.AsyncClient) -> None:
        self._kernel = kernel
        self._worker = worker
        self._http = http
        self._decisions = Places(most=16, kept=4)  # each needs the database
        self._errands = Places(most=64, kept=16)  # they wait for others, and one that hangs must not hold up the next
        self._claims = Claims()
        self._running: dict[int, asyncio.Task[None]] = {}  # by timer id
        self._armed_again: set[int] = set()  # while they ran
        self._renewed = 0.0
        self.clock = ClockWatch()

    async def step(self) -> float:
        """Claim what is due, the most urgent first, and start it; seconds until the next one is due.

        No more are claimed than can begin now: of many that fall due at once, after a jump of the clock say, the next
        one is always the most urgent of all that wait.
        """
        now = self._kernel.now() if self._kernel.fake_time else None
        await self._renew()
        room = (*self._decisions.room, *self._errands.room)
        if any(room):
            claimed_at = uptime()
            rows = await self._kernel.store.pool.fetch(CLAIM, self._worker, _LEASE, now, list(self._running), *room)
            for row in sorted(rows, key=lambda row: (row["urgency"], row["due_at"])):
                self._begin(row, claimed_at)
        asked_at = uptime()
        told = await self._kernel.store.pool.fetchrow(_NEXT)
        took = uptime() - asked_at
        for jump in self.clock.look(Reading(uptime(), self._kernel.clock.now(), told["database"], took)):
            await self._jumped(jump)
        return float("inf") if told["seconds"] is None else max(0.0, told["seconds"])

    def _begin(self, row: asyncpg.Record, claimed_at: float) -> None:
        self._claims.hold(row["id"], claimed_at)
        self._kernel.meters.timer_lateness.observe(row["late"])
        self._places(row).take(row["urgency"])
        task = asyncio.create_task(self._fire(row))
        self._running[row["id"]] = task
        task.add_done_callback(partial(self._over, row))

    def _places(self, row: asyncpg.Record) -> Places:
        return self._errands if row["kind"] == "errand" else self._decisions

    async def settle(self) -> None:
        """Wait for what was started."""
        while self._running:
            await asyncio.gather(*self._running.values(), return_exceptions=True)

    async def close(self) -> None:
        """Stop; what was claimed is taken over."""
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _over(self, row: asyncpg.Record, _: asyncio.Task[None]) -> None:
        timer, places = row["id"], self._places(row)
        full = places.full  # others may have been left waiting
        places.leave(row["urgency"])
        self._running.pop(timer, None)
        self._claims.let_go(timer)
        if full or timer in self._armed_again:
            self._armed_again.discard(timer)
            self._kernel.store.armed.set()

    async def _jumped(self, jump: Jump) -> None:
        """Tell of a jump. After one of the database's clock backward, deadlines keep what was left of them.

        After one forward, what is due fires, the most urgent first.
        """
        self._kernel.meters.jump(jump.clock, jump.seconds)
        _LOG.warning("clock jumped", clock=jump.clock, seconds=round(jump.seconds, 1))
        if jump.clock != "database" or jump.seconds > 0 or self._kernel.fake_time:
            return
        lock = lock_number("clock", self._kernel.store.schema)
        async with self._kernel.store.pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", lock)
            told = await connection.fetchval("SELECT value FROM mark WHERE name = 'clock'")
            ago = (jump.at - datetime.fromisoformat(told)).total_seconds() if told else None
            if ago is not None and abs(ago) < _SAME_JUMP_SECONDS:
                return  # another worker saw it first
            for statement in _SHIFTED:
                await connection.execute(statement, timedelta(seconds=jump.seconds))
            await connection.execute(
                "INSERT INTO mark (name, value) VALUES ('clock', $1) ON CONFLICT (name) DO UPDATE SET value = $1",
                jump.at.isoformat(),
            )

    async def _renew(self) -> None:
        """Keep the leases of what is still under way: a slow channel is not a dead worker."""
        now = asyncio.get_running_loop().time()
        if self._running and now - self._renewed >= _LEASE.total_seconds() / 4:
            self._renewed = now
            began = uptime()
            renewed = await self._kernel.store.pool.fetch(
                "UPDATE timer SET lease_until = clock_timestamp() + $3::interval "
                "WHERE id = ANY($1::bigint[]) AND worker = $2 AND lease_until > clock_timestamp() RETURNING id",
                list(self._running),
                self._worker,
                _LEASE,
            )
            self._claims.renew((row["id"] for row in renewed), began)

    async def _fire(self, row: asyncpg.Record) -> None:
        try:
            await self._complete(row)
        except Overtaken:
            self._armed_again.add(row["id"])
        except Exception as error:
            _LOG.warning("timer failed", name=row["name"], kind=type(error).__name__, attempts=row["attempts"])
            await self._later(row, error)

    async def _complete(self, row: asyncpg.Record) -> None:
        kernel = self._kernel
        context = Context(itself(kernel.service.name))
        taking = Taking(row["id"], row["fence"])
        changes: Changes | None = None
        if row["kind"] == "errand":  # sent once, however often its result must be committed
            changes = await self._send(row, context)

        async def decide() -> tuple[Act, None]:
            desk = kernel.desk(context.caller)
            act = Act(kernel, context, desk)

            async def handle() -> Changes:
                if changes is not None:
                    return await on_what_stands(changes, desk)
                if row["kind"] == ARRIVAL:
                    return await react(kernel, row["subject"], json.loads(row["payload"]), desk)
                due = Due(row["name"], row["subject"], row["timer_key"], row["due_at"], json.loads(row["payload"]))
                return await kernel.service.timers[row["name"]](due, desk)

            await decided(act, handle)
            return act, None

        try:
            await perform(kernel, decide, taking=taking)
        except Overtaken:
            if changes is not None and changes.if_disarmed is not None:
                await self._all_the_same(changes.if_disarmed, context)
            raise

    async def _all_the_same(self, record: Callable[[Desk], Awaitable[Changes]], context: Context) -> None:
        """What went out although it was disarmed meanwhile is on record."""

        async def decide() -> tuple[Act, None]:
            desk = self._kernel.desk(context.caller)
            act = Act(self._kernel, context, desk)
            await decided(act, lambda: record(desk))
            return act, None

        await perform(self._kernel, decide)

    async def _send(self, row: asyncpg.Record, context: Context) -> Changes:
        async def stands() -> bool:
            return bool(await self._kernel.store.pool.fetchval(_STANDS, row["id"], row["fence"]))

        if not await stands():
            raise Overtaken
        errand = Errand(
            row["name"],
            row["subject"],
            row["timer_key"],
            row["attempt_id"],
            row["attempts"] > 1,
            row["attempts"],
            json.loads(row["payload"]),
            held=lambda: self._claims.held(row["id"]),
            stands=stands,
        )
        desk = self._kernel.desk(context.caller)
        return await self._kernel.service.errands[row["name"]](errand, desk, self._http)

    async def _later(self, row: asyncpg.Record, error: Exception) -> None:
        wait = min(_LONGEST_WAIT_SECONDS, 0.5 * 2 ** min(row["attempts"] - 1, 10))
        try:
            await self._kernel.store.pool.execute(
                "UPDATE timer SET worker = NULL, lease_until = NULL, error = $3, "
                "due_at = coalesce($5::timestamptz, clock_timestamp()) + $4::interval WHERE id = $1 AND fence = $2",
                row["id"],
                row["fence"],
                type(error).__name__,
                timedelta(seconds=wait),
                self._kernel.now() if self._kernel.fake_time else None,
            )
        except (asyncpg.exceptions.PostgresError, OSError):
            _LOG.warning("timer left to its lease", name=row["name"])
