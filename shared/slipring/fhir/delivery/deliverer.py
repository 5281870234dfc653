"""Delivery: a courier for every lane that has work; several replicas share the lanes by lease.

A bad endpoint blocks nobody: each lane waits for its own endpoint alone, within bounds, and holds no connection of
the database meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from random import Random
from typing import Any

import structlog

from slipring.fhir.delivery.carrying import Carrier, seconds_of
from slipring.fhir.delivery.courier import Courier, Round
from slipring.fhir.delivery.fanout import Fanout
from slipring.fhir.delivery.notification import Fields, Notification
from slipring.fhir.delivery.queue import Hold, Queue
from slipring.fhir.delivery.resting import Rest
from slipring.fhir.delivery.sending import Sender
from slipring.fhir.kernel import Kernel

_LOG = structlog.get_logger("slipring.delivery")
_LOOK_SECONDS = 1.0  # how often lanes are looked for that nobody spoke of


class Deliverer:
    """Runs the lanes of one schema that this worker holds."""

    def __init__(
        self, kernel: Kernel, fanout: Fanout, worker: int, outside: Sender, follow: Callable[[str], Any]
    ) -> None:
        self._store = kernel.store
        self._fanout = fanout
        self._queue = Queue(kernel.store.pool, worker)
        draw = Random(worker)  # noqa: S311 - scatters repeats, guards nothing
        self._round = Round(kernel, self._queue, Carrier(kernel, outside, follow), fanout.complete, draw)
        self._couriers: dict[str, tuple[Courier, asyncio.Task[None]]] = {}
        self._resting: dict[str, Rest] = {}
        self._looked_at = float("-inf")

    async def step(self, hit: Collection[str] = (), *, look: bool = False) -> None:
        """Wake the lanes that were hit; from time to time, or when told to, look for all in which anything waits."""
        now = asyncio.get_running_loop().time()
        wanted = set(hit)
        if look or now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            wanted |= await self._queue.waiting() | self._fanout.internal
        unheld = set()
        for lane in wanted:
            if (running := self._couriers.get(lane)) is not None:
                running[0].woken.set()
            else:
                unheld.add(lane)
        if unheld:
            claimed = await self._queue.claim(unheld)
            for hold in claimed:
                self._start(hold)
            if not unheld.intersection(hit) <= {hold.lane["id"] for hold in claimed}:
                self._store.committed.set()  # another worker holds some of them: it is rung for

    async def post(self, lane: Fields, message: Notification, headers: Mapping[str, str]) -> tuple[int, str]:
        """Send what is no event (a handshake, a heartbeat) to a lane's endpoint: its status, or 0 and why there is none."""
        whole = Notification(message.content, {**headers, **message.headers})
        seconds = seconds_of(lane, self._round.kernel)
        answer = await self._round.carrier.outside.send(lane, whole, held=lambda: True, seconds=seconds)
        return answer.status, answer.error

    async def close(self) -> None:
        """Stop sending; what was in flight is repeated, marked, by the next worker."""
        tasks = [task for _, task in self._couriers.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, hold: Hold) -> None:
        lane = hold.lane["id"]
        courier = Courier(self._round, hold, self._resting.setdefault(lane, Rest()))
        task = asyncio.create_task(courier.run())
        self._couriers[lane] = (courier, task)
        task.add_done_callback(lambda _: self._ended(lane, courier))

    def _ended(self, lane: str, courier: Courier) -> None:
        self._couriers.pop(lane, None)
        if not self._resting[lane].keys():
            del self._resting[lane]
        if courier.pause_seconds is not None:
            asyncio.get_running_loop().call_later(courier.pause_seconds, self._again)
        elif courier.woken.is_set():
            self._again()

    def _again(self) -> None:
        """Something may be due that nobody speaks of."""
        self._looked_at = float("-inf")
        self._store.written.set()
