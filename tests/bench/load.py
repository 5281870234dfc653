"""A small HTTP/1.1 load generator: n connections, each with one request in flight.

It writes and reads raw bytes on uvloop, so that it costs as little as it can of the cores it shares with the servers.
With a rate, requests fall due by the clock however slow the answers are, and a late one counts from when it was due.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END = b"\r\n\r\n"
_PATIENCE_SECONDS = 60  # for the last answers
Next = Callable[[], bytes]


@dataclass(frozen=True)
class Figures:
    """What one block measured; CPU times are microseconds per request, None where the system does not tell them."""

    per_second: float
    p50_ms: float
    p99_ms: float
    refused: int
    server_us: float | None = None
    database_us: float | None = None


class _Connection(asyncio.Protocol):
    def __init__(self, block: _Block) -> None:
        self._block = block
        self._received = bytearray()
        self._begun = 0.0
        self._whole: int | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if self._whole is None:
            head = self._received.find(_END)
            if head < 0:
                return
            length = _LENGTH.search(self._received, 0, head + 2)
            self._whole = head + len(_END) + (int(length[1]) if length else 0)
        if len(self._received) < self._whole:
            return
        self._block.answered(self._begun, refused=self._received[9:10] != b"2")
        self._received.clear()
        self._whole = None
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        self._block.closed()

    def _next(self) -> None:
        self._begun = self._block.due()
        wait = self._begun - time.perf_counter()
        if self._begun >= self._block.end:
            self._transport.close()
        elif wait > 0:
            asyncio.get_running_loop().call_later(wait, self._ask)
        else:
            self._ask()

    def _ask(self) -> None:
        self._transport.write(self._block.request())


class _Block:
    def __init__(self, request: Next, connections: int, seconds: float, rate: float) -> None:
        self.request = request
        self._begun, self._rate, self._asked = time.perf_counter(), rate, 0
        self.spans: list[float] = []
        self.refused = 0
        self.open = connections
        self.end = time.perf_counter() + seconds
        self.done = asyncio.Event()

    def due(self) -> float:
        """When the next request is due: now, or by the rate."""
        self._asked += 1
        return self._begun + (self._asked - 1) / self._rate if self._rate else time.perf_counter()

    def answered(self, begun: float, *, refused: bool) -> None:
        self.spans.append(time.perf_counter() - begun)
        self.refused += refused

    def closed(self) -> None:
        self.open -= 1
        if not self.open:
            self.done.set()


async def drive(
    ports: int | Sequence[int], request: Next, *, connections: int, seconds: float, rate: float = 0
) -> Figures:
    """Send requests made by `request` for so many seconds, over the ports in turn; `rate`: so many a second, no more."""
    block = _Block(request, connections, seconds, rate)
    listening = itertools.cycle([ports] if isinstance(ports, int) else ports)
    loop = asyncio.get_running_loop()
    begun = time.perf_counter()
    await asyncio.gather(
        *(loop.create_connection(lambda: _Connection(block), "127.0.0.1", next(listening)) for _ in range(connections))
    )
    await asyncio.wait_for(block.done.wait(), seconds + _PATIENCE_SECONDS)
    took = time.perf_counter() - begun
    spans = sorted(block.spans)
    if not spans:
        raise SystemExit(f"nothing answered at {ports}")
    return Figures(
        len(spans) / took, 1000 * spans[len(spans) // 2], 1000 * spans[int(len(spans) * 0.99)], block.refused
    )


def http(method: str, path: str, token: str = "", body: bytes = b"", header: str = "") -> bytes:
    """One request as bytes; `header` is one more line of its head."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *([header] if header else [])]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines += ["Content-Type: application/fhir+json", f"Content-Length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def in_turn(requests: Iterable[bytes]) -> Next:
    """The requests one after the other, from the first again after the last."""
    listed = list(requests)
    position = -1

    def following() -> bytes:
        nonlocal position
        position = (position + 1) % len(listed)
        return listed[position]

    return following
