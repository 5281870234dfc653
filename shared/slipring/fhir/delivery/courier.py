"""One worker's hold on one lane: takes its events to the subscriber until nothing waits or the endpoint fails.

A plain R4 rest-hook is in order for each resource, with several notifications under way; a Backport subscription and
a following service are in strict order, with one under way. At least once: a repeat carries the same
`Idempotency-Key` and `Slipring-Repeat: true`. What is no longer held is not sent.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

import structlog

from slipring.fhir.delivery.carrying import Carrier
from slipring.fhir.delivery.notification import Notification, followed
from slipring.fhir.delivery.queue import RENEW_SECONDS, Hold, Queue, Settled, uptime
from slipring.fhir.delivery.resting import Rest
from slipring.fhir.delivery.sending import Answer, Lost
from slipring.fhir.delivery.telling import SILENCED, Silenced, Withheld
from slipring.fhir.delivery.verdict import ITS_OWN_FAULT, Verdict, next_batch, next_heads, verdict, wait_seconds
from slipring.fhir.interactions.respond import FHIR_JSON
from slipring.fhir.kernel import Kernel
from slipring.fhir.store.engine import UNAVAILABLE
from slipring.runtime.tracing import tracing

_LOG = structlog.get_logger("slipring.delivery")
_LINGER_SECONDS = 5.0  # a lane is kept this long after its last event: the next need not be claimed
_PULSE_SECONDS = 2.0  # how often a follower's copies are dated while nothing happens
_PEER_EVENTS = 100  # of a follower's notification
_SEEN = 64  # events looked at to find those that may go
Row = dict[str, Any]


@dataclass(slots=True)
class Round:
    """What all couriers of one worker share."""

    kernel: Kernel
    queue: Queue
    carrier: Carrier
    complete: Callable[[str], tuple[int, datetime] | None]
    draw: Random


@dataclass(slots=True)
class _Result:
    task: asyncio.Task[None] | None
    events: list[Row]
    answer: Answer
    began_at: float
    unsent: Verdict | None = None  # nothing was sent: it could not be put into words, or may not be told any more

    @property
    def numbers(self) -> list[int]:
        return [event["number"] for event in self.events]


class Courier:
    """Serves one lane for as long as it is held."""

    def __init__(self, around: Round, hold: Hold, resting: Rest) -> None:
        self._around, self._hold, self._resting = around, hold, resting
        self.woken = asyncio.Event()
        self.pause_seconds: float | None = None  # how long the lane rests after this courier
        # Until what came back is written down: an event that has been answered still waits in its row.
        self._sends: dict[asyncio.Task[None] | None, list[Row]] = {}
        self._results: list[_Result] = []
        self._trouble: _Result | None = None
        self._failures: int = hold.lane["failures"]
        self._success_at = float("-inf")
        self._alone_until = 0  # a batch was refused for its content: which of its events is found one by one
        self._busy_at = uptime()
        self._pulsed_at = float("-inf")  # a lane begins with a pulse: until then its copies have no age

    async def run(self) -> None:
        """Serve the lane; ends when it rests, when its endpoint is in error, or when it is somebody else's."""
        try:
            while await self._turn():
                await self._wait()
        except Lost:
            _LOG.info("lane taken over", lane=self._id)
        except Exception as error:
            _LOG.warning("lane paused", lane=self._id, kind=type(error).__name__)
        finally:
            sends = [task for task in self._sends if task is not None]
            for task in sends:
                task.cancel()
            await asyncio.gather(*sends, return_exceptions=True)

    @property
    def _id(self) -> str:
        return str(self._hold.lane["id"])

    @property
    def _internal(self) -> bool:
        return bool(self._hold.lane["internal"])

    @property
    def _strict(self) -> bool:
        return self._internal or bool(self._hold.lane["content"])

    async def _turn(self) -> bool:
        self.woken.clear()
        await self._settle()
        if self._hold.stale and not await self._around.queue.renew(self._hold):
            raise Lost
        if self._trouble is not None:
            if self._sends:
                return True  # what is under way may still show that the endpoint is well
            await self._pause(self._trouble)
            return False
        if room := self._room():
            await self._start(room)
        if self._sends or self._internal or uptime() - self._busy_at < _LINGER_SECONDS:
            return True
        await self._around.queue.rest(self._hold)
        return False

    def _room(self) -> int:
        """How many notifications may begin; one that fails is tried by itself until it, or another, arrives."""
        most = 1 if self._strict or self._failures else self._around.kernel.deliveries_at_once
        return most - len(self._sends)

    async def _start(self, room: int) -> None:
        under_way = [event["key"] for events in self._sends.values() for event in events]
        without = [] if self._strict else [*under_way, *self._resting.keys()]
        lane = self._hold.lane
        most = (_PEER_EVENTS if self._internal else lane["max_count"]) if self._strict else _SEEN
        events = await self._around.queue.look(self._hold, without, most)
        if events is None:
            raise Lost
        if not events:
            await self._pulse()
            return
        groups = (
            [next_batch(events, most, self._alone_until)] if self._strict else [[e] for e in next_heads(events, room)]
        )
        begun = await self._around.queue.begin(self._hold, [event for group in groups for event in group])
        if not begun:
            raise Lost
        by_number = {event["number"]: event for event in begun}
        for group in groups:
            if send := [by_number[event["number"]] for event in group if event["number"] in by_number]:
                self._sends[asyncio.create_task(self._send(send))] = send
        self._busy_at = uptime()

    async def _send(self, events: list[Row]) -> None:
        result = _Result(asyncio.current_task(), events, Answer(0), uptime())
        try:
            message = await self._around.carrier.message(self._hold.lane, events)
        except UNAVAILABLE as error:
            result.answer = Answer(0, type(error).__name__)
        except Withheld:
            result.unsent = "withheld"
        except Silenced:
            result.answer = Answer(0, SILENCED)
        except Exception as error:
            _LOG.warning("notification cannot be written", lane=self._id, kind=type(error).__name__)
            result.answer, result.unsent = Answer(0, f"cannot be written: {type(error).__name__}"), "parked"
        else:
            result.answer = await self._carried(events, message)
        self._results.append(result)
        self.woken.set()

    async def _carried(self, events: list[Row], message: Notification) -> Answer:
        lane, on = self._hold.lane, tracing()
        if on is None:
            return await self._around.carrier.carry(lane, message, lambda: self._hold.held)
        told = (f"{event['type']}/{event['resource_id']}/{event['version']}" for event in events)
        with on.delivery(self._around.kernel.store.schema, self._id, told) as span:
            if self._internal or on.to_subscribers:
                message = Notification(message.content, {**on.headers(), **message.headers})
            answer = await self._around.carrier.carry(lane, message, lambda: self._hold.held)
            span.set_attribute("http.response.status_code", answer.status)
            return answer

    async def _settle(self) -> None:
        """Write down what has come back, all of it in one commit."""
        results, self._results = self._results, []
        settled: list[Settled] = []
        for result in results:
            internal = self._internal
            judged = (not internal and result.unsent) or verdict(result.answer, internal=internal)
            if judged != "withheld":
                self._around.kernel.meters.notified(result.answer.status, parked=judged == "parked")
            if judged == "failed":
                await self._failed(result)
            elif judged == "parked" and len(result.events) > 1:
                self._alone_until = result.events[-1]["number"]
            else:
                if judged != "withheld":
                    self._success_at, self._failures = uptime(), 0
                error = result.answer.error if judged == "parked" else ""
                settled += [Settled(event["number"], judged, error) for event in result.events]
                for event in result.events:
                    self._resting.until.pop(event["key"], None)
        if settled:
            await self._done(settled)
        for result in results:
            self._sends.pop(result.task, None)

    async def _done(self, settled: list[Settled]) -> None:
        if self._trouble is not None and self._trouble.began_at < self._success_at and not self._strict:
            trouble, self._trouble = self._trouble, None  # the endpoint is well: it was about that resource only
            self._set_aside(trouble)
        still = self._resting.error if self._resting.keys() else ""
        was_in_error = self._hold.lane["status"] == "error"
        if not await self._around.queue.settle(self._hold, settled, still):
            raise Lost
        for one in settled:
            if one.state == "parked":
                _LOG.warning("delivery parked", lane=self._id, number=one.number, error=one.error)
        if was_in_error and not still and any(one.sent for one in settled):
            self._hold.lane["status"] = "active"
            self._resting.until.clear()
            _LOG.info("endpoint takes events again", lane=self._id)

    async def _failed(self, result: _Result) -> None:
        """One notification was not taken: the endpoint is in error, or, when others arrive, it is about one resource."""
        own_fault = not self._strict and (
            self._success_at > result.began_at or (self._failures == 0 and result.events[0]["attempts"] > ITS_OWN_FAULT)
        )
        if not own_fault:
            if not self._strict and result.events[0]["attempts"] >= ITS_OWN_FAULT:
                self._set_aside(result)
            self._trouble = result
            return
        self._set_aside(result)
        if await self._around.queue.failed(self._hold, result.numbers, result.answer.error, None) is None:
            raise Lost

    def _set_aside(self, result: _Result) -> None:
        self._resting.error = result.answer.error
        for event in result.events:
            wait = 2 * wait_seconds(event["attempts"], self._around.draw, asked=result.answer.retry_after_seconds)
            self._resting.until[event["key"]] = uptime() + wait

    async def _pause(self, result: _Result) -> None:
        """The endpoint is in error: its events wait in order, its owner is told, and it is tried again by and by."""
        error, asked = result.answer.error, result.answer.retry_after_seconds
        wait = wait_seconds(self._failures + 1, self._around.draw, asked=asked, internal=self._internal)
        if await self._around.queue.failed(self._hold, result.numbers, error, wait) is None:
            raise Lost
        if self._failures == 0:
            _LOG.warning("endpoint in error", lane=self._id, error=error)
        self.pause_seconds = wait

    async def _pulse(self) -> None:
        """Date a follower's copies: everything up to this moment has reached it."""
        if not self._internal or uptime() - self._pulsed_at < _PULSE_SECONDS:
            return
        complete = self._around.complete(self._id)
        if complete is None or complete[0] > self._hold.lane["last_number"]:
            return
        self._pulsed_at = uptime()
        text = followed(self._around.kernel, self._hold.lane, [], complete)
        pulse = Notification(text.encode(), {"Content-Type": FHIR_JSON})
        await self._around.carrier.carry(self._hold.lane, pulse, lambda: self._hold.held, _PULSE_SECONDS)

    async def _wait(self) -> None:
        waits = [RENEW_SECONDS]
        if not self._sends:
            waits.append(_PULSE_SECONDS if self._internal else _LINGER_SECONDS)
            if (rest := self._resting.wake_in()) is not None:
                waits.append(rest + 0.01)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(waits)):
                await self.woken.wait()
