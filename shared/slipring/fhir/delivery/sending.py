"""How one message goes out, and what is learned from the answer: the seam between the lanes and the network.

A lane hands over an address, a body and headers and gets an `Answer`; it never waits longer than it said it would, and
never sends what it no longer holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import httpx
from cryptography.fernet import InvalidToken

from slipring.fhir.channel_headers import opened
from slipring.fhir.delivery.endpoint_connection import EndpointRefused
from slipring.fhir.delivery.notification import Notification
from slipring.fhir.delivery.signature import HEADER as SIGNATURE
from slipring.fhir.delivery.signature import read, signed
from slipring.runtime.coming_again import retry_after

_BODY_BYTES = 64 * 1024  # of an answer that are read so that its connection can be used again
_BODY_SECONDS = 1.0
_WRITING = ("http11.send_request_headers.started", "http2.send_request_headers.started")


class Lost(Exception):
    """The lease is gone: somebody else sends this now."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the endpoint said: `status` 0 = nothing, and `error` is then the kind of failure, never a value."""

    status: int
    error: str = ""
    retry_after_seconds: float | None = None

    @property
    def taken(self) -> bool:
        """Any 2xx counts."""
        return 200 <= self.status < 300


class Sender(Protocol):
    """Sends to outside endpoints; the lane is its row of `subscription`."""

    async def send(
        self, lane: Mapping[str, Any], message: Notification, *, held: Callable[[], bool], seconds: float
    ) -> Answer:
        """POST the message within `seconds` in all; raises Lost when `held` says no just before the first byte."""


async def post(
    client: httpx.AsyncClient, address: str, message: Notification, *, held: Callable[[], bool], seconds: float
) -> Answer:
    """POST through a client, bounded in all: connecting, sending and the head of the answer.

    The answer's body is of no interest: what is short and quick is read, a connection that trickles is cut.
    """

    async def look(event: str, _: object) -> None:
        if event in _WRITING and not held():
            raise Lost

    if not held():
        raise Lost
    request = client.build_request(
        "POST", address, content=message.content, headers=message.headers, extensions={"trace": look}
    )
    try:
        async with asyncio.timeout(seconds):
            response = await client.send(request, stream=True, follow_redirects=False)
    except TimeoutError:
        return Answer(0, "no answer in time")
    except EndpointRefused as refused:
        return Answer(0, refused.reason)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Answer(0, type(error).__name__)
    await _drained(response)
    told = "" if response.is_success else f"HTTP {response.status_code}"
    return Answer(response.status_code, told, retry_after(response.headers.get("retry-after", "")))


async def _drained(response: httpx.Response) -> None:
    """Read a little of the body, then let go of the connection; the answer has been given already."""
    size = 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for part in response.aiter_raw():
                size += len(part)
                if size > _BODY_BYTES:
                    break
    except (TimeoutError, httpx.HTTPError, httpx.StreamError, OSError):
        pass
    finally:
        await response.aclose()


class HttpSender:
    """Sends with one client that all lanes share: each has only as many connections as it has messages under way."""

    def __init__(
        self, client: httpx.AsyncClient, unseal: Callable[[bytes], bytes], now: Callable[[], datetime]
    ) -> None:
        self._client, self._unseal, self._now = client, unseal, now

    async def send(
        self, lane: Mapping[str, Any], message: Notification, *, held: Callable[[], bool], seconds: float
    ) -> Answer:
        """POST to the lane's endpoint with the lane's own headers beside ours, signed when it has a secret."""
        try:
            headers = {**opened(lane["headers"], self._unseal), **message.headers}
            secrets = read(self._unseal(lane["signing"].encode()).decode() if lane["signing"] else "")
        except InvalidToken:  # the key is not the one that sealed them: nothing may go out unsigned or without them
            return Answer(0, "the headers kept for it cannot be opened")
        if signature := signed(secrets, message.content, self._now()):
            headers[SIGNATURE] = signature
        whole = Notification(message.content, headers)
        return await post(self._client, lane["endpoint"], whole, held=held, seconds=seconds)
