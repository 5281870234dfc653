"""What a channel promises: it carries one message to one address, or says whether trying again can help."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import httpx


@dataclass(frozen=True, slots=True)
class Message:
    """What a receiver is told before he has identified himself: that something waits and where, never about whom."""

    case: str  # Task/k-...
    communication: str  # Communication/k-...
    level: str
    text_zh: str
    text_en: str
    link: str
    attempt_id: str
    repeat: bool
    sent_at: datetime
    drill: bool = False  # nobody is ill; the text says so, too


class DeliveryFailed(Exception):
    """The message did not arrive; `permanent` says that trying this address again cannot help."""

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.reason = reason  # a code such as "http-404" or "timeout": no address, no text
        self.permanent = permanent


class Channel(Protocol):
    """Delivers a message to an address; returns when the provider has taken it, raises DeliveryFailed otherwise."""

    async def __call__(
        self, message: Message, address: str, client: httpx.AsyncClient, *, timeout_seconds: float
    ) -> None:
        """Deliver once; repeats are the kernel's business and carry the same attempt id."""
