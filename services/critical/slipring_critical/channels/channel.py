"""What a channel promises: it carries one message to one address, or says whether trying again can help."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

import httpx
from slipring.fhir.delivery.endpoint_policy import EndpointPolicy
from slipring.fhir.delivery.signature import Secret
from slipring.fhir.outcome import Issue

from slipring_critical.channels.media import Kind


@dataclass(frozen=True, slots=True)
class Message:
    """What a receiver is told before he has identified himself: that something waits and where, never about whom."""

    case: str  # Task/k-...; of a check of the route itself the Endpoint/k-...
    communication: str  # Communication/k-..., '' of a check
    level: str
    text_zh: str
    text_en: str
    link: str
    attempt_id: str
    repeat: bool
    sent_at: datetime
    drill: bool = False  # nobody is ill; the text says so, too
    short: str = ""  # text and link in the language and the length of the medium
    recipient: str = ""  # a reference, '' when only the office is known
    reply: str = ""  # the code by which it may be answered where the gateway gives replies back
    kind: Kind = "message"
    code: str = field(default="", repr=False)  # of a check: what proves the route when it is said back


@dataclass(frozen=True, slots=True)
class Line:
    """Where a route leads, in the clear: for sending only, never to be written or told."""

    address: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)  # the receiver's own, such as a bearer token
    secrets: Sequence[Secret] = field(default=(), repr=False)  # what the message is signed with


def _held() -> bool:
    """Where nobody else could be sending the same."""
    return True


@dataclass(frozen=True, slots=True)
class Outside:
    """By what means a message leaves, and what it must heed on the way."""

    client: httpx.AsyncClient  # judges every address it connects to
    policy: EndpointPolicy  # for channels that bring a client of their own
    timeout_seconds: float  # from the first name server asked to the head of the answer
    data_dir: Path  # where the key lies by which browsers know us
    contact: str = ""  # an e-mail address of ours, for providers that want to complain (RFC 8292)
    held: Callable[[], bool] = _held  # asked just before the first byte


class DeliveryFailed(Exception):
    """The message did not arrive; `permanent` says that trying this address again cannot help."""

    def __init__(self, reason: str, *, permanent: bool, after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason  # a code such as "http-404" or "timeout": no address, no text
        self.permanent = permanent
        self.after_seconds = after_seconds  # when the provider asks to be left alone so long (Retry-After)


class Deliver(Protocol):
    """Delivers a message over a line; returns when the provider has taken it, raises DeliveryFailed otherwise."""

    async def __call__(self, message: Message, line: Line, outside: Outside) -> None:
        """Deliver once; repeats carry the same attempt id."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One way to be told: how it delivers, what an address must be, and which provider stands behind one."""

    deliver: Deliver
    judge: Callable[[str, EndpointPolicy], Issue | None]
    provider: Callable[[str], str]  # of an address: whom a failure is held against; no secret
    secret: bool = False  # the address is itself a key: kept locked, shown by its beginning and its end only
    leaves: bool = True  # False: it stands here, and no provider can be down
