"""One HTTP connection with limits of its own: how long and how large a request's head may be, and how many there are.

Uvicorn waits for ever for the first byte and for the end of a head, and takes heads of any size; bodies are bounded
where they are read (`slipring.fhir.wire`). What goes too far is told so in a plain line and the connection is closed.
"""

from __future__ import annotations

import asyncio
import resource
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_LOG = structlog.get_logger("slipring.connection")
_SPARE_FILES = 200  # for the database, other services and files


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What one client may take up before anybody has looked at its request."""

    most: int = 2000  # open at once in this process
    head_seconds: float = 10  # from the first byte, or from connecting, to the end of the head
    target_bytes: int = 65_536  # path and query; the front asks services for long lists of ids
    head_bytes: int = 131_072
    fields: int = 100
    stuck_seconds: float = 60  # how long a client may take nothing of its answer


class _TooMuch(Exception):
    """Ends the parsing of a head."""


class GuardedProtocol(HttpToolsProtocol):
    """Uvicorn's protocol within `limits`, which a subclass carries."""

    limits = ConnectionLimits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None
        self._stuck_timer: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._in_head = True  # until the head is whole, and again when the body is
        self._refusal = HTTPStatus.BAD_REQUEST

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected; one too many is sent away."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.most:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        self._rest()
        if self._stuck_timer is not None:
            self._stuck_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """More of a head or of a body; between two requests every byte belongs to a head."""
        if self.transport.is_closing():
            return
        before = self._in_head
        if before:
            self._head_bytes += len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if before and self._in_head and self._head_bytes > self.limits.head_bytes:
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        elif self._head_timer is None and (self.cycle is None or self.cycle.response_complete):
            self._await_head()  # empty lines, or the rest of a body that was answered before its end

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        if self._head_timer is None:
            self._await_head()

    def on_url(self, url: bytes) -> None:
        """A piece of the target."""
        super().on_url(url)
        if len(self.url) > self.limits.target_bytes:
            self._refusal = HTTPStatus.REQUEST_URI_TOO_LONG
            raise _TooMuch

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        super().on_header(name, value)
        if len(self.headers) > self.limits.fields or len(name) + len(value) > self.limits.head_bytes:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise _TooMuch

    def on_headers_complete(self) -> None:
        """The head is whole: from here on the application watches."""
        if sum(len(name) + len(value) for name, value in self.headers) > self.limits.head_bytes:
            self._refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            raise _TooMuch
        self._rest()
        self._head_bytes, self._in_head = 0, False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The body is whole too."""
        self._in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What could not be read as a request; uvicorn calls this for whatever ends the parsing."""
        self._refuse(self._refusal)

    def pause_writing(self) -> None:
        """The client takes nothing of its answer: not for ever."""
        super().pause_writing()
        if self._stuck_timer is None:
            self._stuck_timer = self.loop.call_later(self.limits.stuck_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It takes some again."""
        super().resume_writing()
        if self._stuck_timer is not None:
            self._stuck_timer.cancel()
            self._stuck_timer = None

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self.limits.head_seconds, self._too_slow)

    def _rest(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        if self._head_bytes:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT)
        else:  # nobody has asked for anything
            self.transport.close()

    def _refuse(self, status: HTTPStatus) -> None:
        """One plain line, then the end; what was sent is not repeated, neither here nor in the log."""
        self._rest()
        if self.transport.is_closing():
            return
        _LOG.warning("connection refused", status=int(status))
        text = f"{status.phrase}\n".encode()
        head = f"HTTP/1.1 {int(status)} {status.phrase}\r\ncontent-type: text/plain\r\ncontent-length: {len(text)}\r\n"
        again = "retry-after: 1\r\n" if status is HTTPStatus.SERVICE_UNAVAILABLE else ""
        self.transport.write(f"{head}{again}connection: close\r\n\r\n".encode() + text)
        self.transport.close()


def guarded(limits: ConnectionLimits) -> type[GuardedProtocol]:
    """The protocol with these limits, never more connections than this process may open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.most + _SPARE_FILES
    if soft < wanted:
        soft = min(wanted, hard) if hard != resource.RLIM_INFINITY else wanted
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    most = max(50, min(limits.most, soft - _SPARE_FILES))
    told = ConnectionLimits(
        most, limits.head_seconds, limits.target_bytes, limits.head_bytes, limits.fields, limits.stuck_seconds
    )
    return type("Guarded", (GuardedProtocol,), {"limits": told})
