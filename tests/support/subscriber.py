"""A subscriber that speaks real HTTP and misbehaves on demand: refuses, hangs, answers 500, cuts in the middle, trickles."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

_LONG_SECONDS = 6.0  # longer than a sender waits
_REASONS = {200: b"OK", 422: b"Unprocessable Entity", 500: b"Internal Server Error"}


@dataclass(frozen=True)
class Receipt:
    """One request that came in whole; `taken`: the sender was told 2xx."""

    at: float  # seconds since the epoch
    path: str
    headers: dict[str, str]
    body: bytes
    taken: bool


@dataclass
class Subscriber:
    """Listens on a port of its own; `mode` says what it does with requests from now on."""

    mode: str = "fine"
    got: list[Receipt] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def listen(self) -> None:
        """Take connections; again on the same port after `refuse`."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Away: open connections are cut, new ones refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._open):
            writer.transport.abort()

    def address(self, path: str) -> str:
        """The endpoint of a path."""
        return f"http://127.0.0.1:{self.port}/{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._one(reader, writer):
                    pass
        finally:
            self._open.discard(writer)
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request; False when the connection is over."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        length, mode = int(headers.get("content-length", 0)), self.mode
        if mode == "cut the request":
            await reader.readexactly(length // 2)
            return False
        body = await reader.readexactly(length)
        taken = mode in ("fine", "trickle", "cut the answer")
        self.got.append(Receipt(time.time(), head[0].split()[1].lstrip("/"), headers, body, taken))
        if mode == "hang":
            await asyncio.sleep(_LONG_SECONDS)
            return False
        if mode == "cut the head":
            writer.write(b"HTTP/1.1 20")
            await writer.drain()
            return False
        if mode in ("trickle", "cut the answer"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
            await writer.drain()
            end = time.monotonic() + (_LONG_SECONDS if mode == "trickle" else 0)
            while time.monotonic() < end:
                await asyncio.sleep(0.1)
                writer.write(b" ")
                await writer.drain()
            return False
        status = 200 if mode == "fine" else int(mode)
        writer.write(b"HTTP/1.1 %d %s\r\nContent-Length: 0\r\n\r\n" % (status, _REASONS[status]))
        await writer.drain()
        return True
