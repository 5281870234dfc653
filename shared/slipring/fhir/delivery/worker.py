"""The loops of one service process: follow, fan out, deliver, fire timers; woken after commits, polling as a net."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping

import asyncpg
import httpx
import structlog

from slipring.fhir.delivery.bell import Bell
from slipring.fhir.delivery.deliverer import Deliverer
from slipring.fhir.delivery.fanout import Fanout
from slipring.fhir.delivery.follow import Follower
from slipring.fhir.delivery.life import Life
from slipring.fhir.delivery.sending import HttpSender
from slipring.fhir.delivery.tidying import Tidying
from slipring.fhir.delivery.timers import Timers
from slipring.fhir.delivery.watchdog import Watchdog
from slipring.fhir.kernel import Kernel

_LOG = structlog.get_logger("slipring.worker")
_POLL_SECONDS = 1.0
_TIMER_POLL_SECONDS = 0.25
_LIFE_POLL_SECONDS = 0.5
_TIDY_SECONDS = 600.0
_WATCH_SECONDS = 5.0
_GATHER_SECONDS = 0.01  # rounds begin at least so far apart: events of one burst share a fan-out and its commit


class Worker:
    """Everything a service does without being asked."""

    def __init__(
        self, kernel: Kernel, follower: Follower, peers: Mapping[str, httpx.AsyncClient], http: httpx.AsyncClient
    ) -> None:
        self._kernel = kernel
        self.number = secrets.randbits(62)
        self.follower = follower
        self.fanout = Fanout(kernel)
        self.deliverer = Deliverer(
            kernel, self.fanout, self.number, HttpSender(http, kernel.secrets.decrypt, kernel.now), peers.__getitem__
        )
        self.life = Life(kernel, self.deliverer.post)
        self.timers = Timers(kernel, self.number, http)
        self.bell = Bell(kernel.store)
        self.tidying = Tidying(kernel)
        self.watchdog = Watchdog(kernel)
        self._spread_at = float("-inf")
        self._untidy = asyncio.Event()  # there was more than one round takes
        self._alive: asyncpg.Connection | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Take the lock that shows this worker is alive, then run the loops."""
        await self._show_alive()
        store = self._kernel.store
        self._tasks = [
            asyncio.create_task(self._loop("follow", self._follow, _POLL_SECONDS, asyncio.Event())),
            asyncio.create_task(self._loop("events", self._events, _POLL_SECONDS, store.written)),
            asyncio.create_task(self._loop("subscriptions", self.life.step, _LIFE_POLL_SECONDS, asyncio.Event())),
            asyncio.create_task(self._loop("timers", self._timers, _TIMER_POLL_SECONDS, store.armed)),
            asyncio.create_task(self._loop("tidying", self._tidy, _TIDY_SECONDS, self._untidy)),
            asyncio.create_task(self._loop("watchdog", self._watch, _WATCH_SECONDS, asyncio.Event())),
            asyncio.create_task(self._loop("bell", self.bell.step, _POLL_SECONDS, store.committed)),
        ]

    async def stop(self) -> None:
        """Stop the loops; leases end with the connection."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.life.close()
        await self.deliverer.close()
        await self.timers.close()
        await self.bell.close()
        if self._alive is not None:
            alive, self._alive = self._alive, None
            if not alive.is_closed():
                await alive.execute("SELECT pg_advisory_unlock_all()")
            await self._kernel.store.pool.release(alive)

    async def _show_alive(self) -> None:
        if self._alive is not None and not self._alive.is_closed():
            return
        if self._alive is not None:  # forgotten first: a second try must not ask it again
            lost, self._alive = self._alive, None
            await self._kernel.store.pool.release(lost)
        connection = await self._kernel.store.pool.acquire()
        try:
            await connection.fetchval("SELECT pg_advisory_lock($1)", self.number)
        except BaseException:
            await self._kernel.store.pool.release(connection)
            raise
        self._alive = connection

    async def _follow(self) -> None:
        await self.follower.step()

    async def _events(self) -> None:
        clock, store = asyncio.get_running_loop().time, self._kernel.store
        if (left := self._spread_at + _GATHER_SECONDS - clock()) > 0:
            await asyncio.sleep(left)
        more = True
        while more:
            self._spread_at = clock()
            hit, more = await self.fanout.step()
            rung, store.rung = store.rung, False
            await self.deliverer.step(hit, look=rung)

    async def _tidy(self) -> None:
        if await self.tidying.step():
            self._untidy.set()

    async def _watch(self) -> None:
        await self.watchdog.step()

    async def _timers(self) -> float:
        await self._show_alive()
        return await self.timers.step()

    async def _loop(
        self, name: str, step: Callable[[], Awaitable[float | None]], poll: float, woken: asyncio.Event
    ) -> None:
        """Step whenever woken, after `poll` seconds at the latest, or sooner when the step says so."""
        self._kernel.meters.turn(name)
        while True:
            woken.clear()
            wait = poll
            try:
                asked = await step()
                wait = poll if asked is None else min(poll, asked)
                self._kernel.meters.turn(name)
            except Exception as error:
                _LOG.warning("loop stumbled", loop=name, kind=type(error).__name__)
                await asyncio.sleep(0.2)
            try:
                await asyncio.wait_for(woken.wait(), wait)
            except TimeoutError:
                continue
