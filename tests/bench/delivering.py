"""From a commit to the first byte: at subscribers, with and without dead ones beside them, and at a ward's telephone.

Moments are of this machine's one clock: the database's when an event was written (before its commit was flushed),
ours when a notification has come in.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from slipring.runtime.postgres import ensure_running

from tests.bench import alerting, samples, serving
from tests.bench.load import Next
from tests.support.subscriber import Subscriber

_CONNECTIONS = 10
_DEAD = 3


@dataclass(frozen=True)
class Spans:
    """How long something took, many times, in milliseconds."""

    what: str
    promised: str
    p50: float
    p99: float
    most: float
    count: int
    met: bool


def spans(what: str, promised: str, seconds: Sequence[float], *, p50: float = 1e9, p99: float = 1e9) -> Spans:
    """Rank them and judge them by the promise (milliseconds)."""
    ranked = [1000 * one for one in sorted(seconds)]
    middle, late = ranked[len(ranked) // 2], ranked[int(len(ranked) * 0.99)]
    return Spans(what, promised, middle, late, ranked[-1], len(ranked), middle <= p50 and late <= p99)


async def measure(
    folder: Path, rate: int, seconds: float, cases: int, flags: int, say: Callable[[str], None]
) -> list[Spans]:
    """The rows in the order of the promises."""
    port = serving.free_port()
    found = []
    with serving.slipring(folder, port):
        database = await asyncpg.connect(ensure_running(folder))
        try:
            alone = await _hears(folder, port, database, rate, seconds)
            found.append(spans(f"commit to first byte at a subscriber, {rate} events/s", _PROMISED, alone, **_BOUNDS))
            say(line(found[-1]))
            async with _dead_ones(folder, port):
                beside = await _hears(folder, port, database, rate, seconds)
            found.append(spans(f"the same beside {_DEAD} dead subscribers", _PROMISED, beside, **_BOUNDS))
            say(line(found[-1]))
            rung = await asyncio.to_thread(alerting.measure, folder, port, cases, flags)
            what = f"critical: commit of the flag to first attempt, {cases:,} open cases"
            found.append(spans(what, "p99 <= 250 ms", rung, p99=250))
            say(line(found[-1]))
        finally:
            await database.close()
    return found


_PROMISED = "p50 <= 15 ms, p99 <= 100 ms"
_BOUNDS = {"p50": 15.0, "p99": 100.0}


def line(row: Spans) -> str:
    """One row as a sentence."""
    met = "met" if row.met else "MISSED"
    return f"{row.what}: p50 {row.p50:.1f} ms, p99 {row.p99:.1f} ms, most {row.most:.1f} ms of {row.count} ({met}: {row.promised})"


async def _hears(folder: Path, port: int, database: Any, rate: int, seconds: float) -> list[float]:
    """Commit to receipt of each event of so many seconds."""
    subscriber = Subscriber()
    await subscriber.listen()
    token = serving.access_token(folder)
    lane = await asyncio.to_thread(_subscribe, port, token, subscriber.address("hook"))
    try:
        await asyncio.sleep(1)
        request = samples.posting("/order/fhir/MedicationRequest", token, samples.prescription())
        await _post_evenly(port, request, rate, seconds)
        end = time.monotonic() + 60
        while len(subscriber.got) < int(rate * seconds) and time.monotonic() < end:
            await asyncio.sleep(0.05)
        rows = await database.fetch('SELECT number, event_at FROM "order".delivery WHERE subscription = $1', lane)
        written = {str(row["number"]): row["event_at"].timestamp() for row in rows}
        half = int(rate)  # the first second warms up
        return [one.at - written[one.headers["slipring-event-number"]] for one in subscriber.got[half:]]
    finally:
        await asyncio.to_thread(_switch_off, port, token, lane)
        await subscriber.refuse()


class _dead_ones:  # noqa: N801 - used like a function
    """Subscribers of the same events that refuse, hang and answer 500."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self._port = folder, port
        self._subscribers = [Subscriber(), Subscriber("hang"), Subscriber("500")]
        self._lanes: list[str] = []

    async def __aenter__(self) -> None:
        token = serving.access_token(self._folder)
        for subscriber in self._subscribers:
            await subscriber.listen()
            self._lanes.append(await asyncio.to_thread(_subscribe, self._port, token, subscriber.address("dead")))
        await self._subscribers[0].refuse()

    async def __aexit__(self, *_: object) -> None:
        token = serving.access_token(self._folder)
        for lane in self._lanes:
            await asyncio.to_thread(_switch_off, self._port, token, lane)
        for subscriber in self._subscribers[1:]:
            await subscriber.refuse()


def _subscription(endpoint: str) -> dict[str, Any]:
    channel = {"type": "rest-hook", "endpoint": endpoint, "payload": "application/fhir+json"}
    return {
        "resourceType": "Subscription",
        "status": "requested",
        "reason": "bench",
        "criteria": "MedicationRequest",
        "channel": channel,
    }


def _subscribe(port: int, token: str, endpoint: str) -> str:
    answer = httpx.post(
        f"http://127.0.0.1:{port}/order/fhir/Subscription",
        content=json.dumps(_subscription(endpoint)),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"},
    )
    return str(answer.raise_for_status().json()["id"])


def _switch_off(port: int, token: str, lane: str) -> None:
    httpx.delete(
        f"http://127.0.0.1:{port}/order/fhir/Subscription/{lane}", headers={"Authorization": f"Bearer {token}"}
    ).raise_for_status()


async def _post_evenly(port: int, request: Next, rate: int, seconds: float) -> None:
    """So many requests a second, evenly spread over a few connections."""
    every, begun = _CONNECTIONS / rate, time.monotonic()

    async def one(position: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for turn in range(int(rate * seconds / _CONNECTIONS)):
            due = begun + turn * every + position * every / _CONNECTIONS
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            writer.write(request())
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            if b" 201 " not in head.split(b"\r\n", 1)[0]:
                raise SystemExit(f"refused: {head!r}")
            await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
        writer.close()

    await asyncio.gather(*(one(position) for position in range(_CONNECTIONS)))
