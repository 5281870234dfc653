"""A wire between a service and PostgreSQL that a test may cut at a chosen moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit


class Wire:
    """Passes bytes between a TCP port and the database's socket; `cut_after` waits for a word from the client.

    When the word passes, it is still delivered, the database gets a moment to do it, and its answer never arrives.
    `cut_before` drops the word itself.
    """

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._writers: list[asyncio.StreamWriter] = []
        self.cut_after = b""
        self.cut_before = b""
        self.cuts = 0
        self.passed = 0  # words of clients since the beginning
        self.last_word: int | None = None  # after so many everything is cut at once, as if the process had been killed
        self.closed = False

    async def pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        if self.closed:
            writer.transport.abort()
            return
        up_reader, up_writer = await asyncio.open_unix_connection(str(self._socket))
        self._writers += [writer, up_writer]
        back = asyncio.create_task(_copy(up_reader, writer))
        try:
            while data := await reader.read(1 << 20):
                if self.cut_before and self.cut_before in data:
                    self.cut_before = b""
                    break
                self.passed += 1
                if self.last_word is not None and self.passed > self.last_word:
                    self.close()
                    break
                up_writer.write(data)
                if self.cut_after and self.cut_after in data:
                    back.cancel()
                    self.cut_after = b""
                    await asyncio.sleep(0.3)
                    break
            else:
                return
            self.cuts += 1
            writer.transport.abort()
        except ConnectionError:
            pass
        finally:
            back.cancel()
            up_writer.transport.abort()

    def close(self) -> None:
        """No connection any more, and no new one."""
        self.closed = True
        for writer in self._writers:
            writer.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 20):
            writer.write(data)
    except ConnectionError:
        pass
    writer.close()


@asynccontextmanager
async def wire_to(dsn: str) -> AsyncIterator[tuple[Wire, str]]:
    """A wire and the database's address through it."""
    asked = parse_qs(urlsplit(dsn).query)
    wire = Wire(Path(asked["host"][0]) / f".s.PGSQL.{asked['port'][0]}")
    server = await asyncio.start_server(wire.pass_on, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield wire, f"postgresql://slipring@127.0.0.1:{port}/slipring?sslmode=disable"
    finally:
        wire.close()
        server.close()
