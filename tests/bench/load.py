"""A small HTTP/1.1 load generator: n connections, each with one request in flight."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figures:
    """What one block measured."""

    per_second: float
    p50_ms: float
    p99_ms: float
    refused: int


async def drive(port: int, request: Callable[[], bytes], *, connections: int, seconds: float) -> Figures:
    """Send requests made by `request` for so many seconds."""
    spans: list[float] = []
    refused = 0
    end = time.perf_counter() + seconds

    async def one() -> None:
        nonlocal refused
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (begun := time.perf_counter()) < end:
            writer.write(request())
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(length)
            spans.append(time.perf_counter() - begun)
            refused += head[9:10] != b"2"
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    spans.sort()
    return Figures(len(spans) / seconds, spans[len(spans) // 2] * 1000, spans[int(len(spans) * 0.99)] * 1000, refused)


def http(method: str, path: str, token: str = "", body: bytes = b"") -> bytes:
    """One request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body:
        lines.append("Content-Type: application/fhir+json")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
