"""From a lane and its next events to what goes out."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.delivery.notification import Fields, Notification, Told, backport, plain
from slipring.fhir.kernel import Kernel


async def notification_of(kernel: Kernel, lane: Fields, events: Sequence[Fields]) -> Notification:
    """What a subscriber is sent about these events; a plain rest-hook takes one at a time."""
    if not lane["content"]:
        return plain(lane, events[0])
    return backport(kernel.base, lane, "event-notification", [Told(event) for event in events], kernel.now())
