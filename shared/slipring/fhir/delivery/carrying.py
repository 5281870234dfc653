"""From events of a lane to what the subscriber answered: written, marked, and carried to a service or an endpoint."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

from slipring.fhir.delivery.notification import Fields, Notification, followed
from slipring.fhir.delivery.sending import Answer, Lost, Sender, post
from slipring.fhir.delivery.telling import notification_of
from slipring.fhir.interactions.respond import FHIR_JSON
from slipring.fhir.kernel import Kernel

_NAMESPACE = uuid.UUID("0e7a3c5c-7f0a-5b64-9a53-6c4a4f1f5d10")  # ours: several events sent together have one key
_PEER_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Carrier:
    """The ways out of one service: to the world, and to the services that follow it."""

    kernel: Kernel
    outside: Sender
    follow: Callable[[str], httpx.AsyncClient]

    async def message(self, lane: Fields, events: list[dict[str, Any]]) -> Notification:
        """The notification of these events; a repeat has the same key and says that it is one."""
        told = (
            Notification(followed(self.kernel, lane, events, None).encode(), {"Content-Type": FHIR_JSON})
            if lane["internal"]
            else await notification_of(self.kernel, lane, events)
        )
        repeat = any(event["attempts"] > 1 for event in events)
        own = {"Idempotency-Key": key_of(events), "Slipring-Repeat": str(repeat).lower()}
        return Notification(told.content, own | told.headers)

    async def carry(
        self, lane: Fields, message: Notification, held: Callable[[], bool], seconds: float = _PEER_SECONDS
    ) -> Answer:
        """Send within bounds what is still held; `seconds` are for a service."""
        try:
            if lane["internal"]:
                return await post(self.follow(lane["follower"]), lane["endpoint"], message, held=held, seconds=seconds)
            return await self.outside.send(lane, message, held=held, seconds=seconds_of(lane, self.kernel))
        except Lost:
            return Answer(0, "the lease was lost before sending")


def seconds_of(lane: Fields, kernel: Kernel) -> float:
    """How long an endpoint may take: what its subscription says, at most what the house allows."""
    return float(min(lane["timeout_seconds"] or kernel.delivery_seconds, kernel.delivery_seconds))


def key_of(events: list[dict[str, Any]]) -> str:
    """The Idempotency-Key: one event has its own; several have one made of theirs, the same for the same events."""
    if len(events) == 1:
        return str(events[0]["attempt_id"])
    return str(uuid.uuid5(_NAMESPACE, " ".join(event["attempt_id"] for event in events)))
