"""A message over a line: what each channel needs, and what is learnt of its provider."""

from __future__ import annotations

import httpx
from slipring.fhir.service import Desk, Errand, Stored

from slipring_critical.channels import CHANNELS
from slipring_critical.channels.channel import DeliveryFailed, Line, Message, Outside
from slipring_critical.directory.kept_secrets import line_of

OVERTAKEN = "taken-over"
# After these nothing has left the house: the next try is no repeat.
NOT_SENT = frozenset({"provider-busy", "provider-down"})


async def carry(
    message: Message, medium: str, line: Line | None, errand: Errand, desk: Desk, client: httpx.AsyncClient, *,
    urgent: bool = False,
) -> None:  # fmt: skip
    """Deliver once; raises DeliveryFailed, at once where the route leads nowhere any more."""
    channel = CHANNELS.get(medium)
    if channel is None or line is None:
        raise DeliveryFailed("no-route", permanent=True)
    settings = desk.settings
    outside = Outside(
        client,
        settings.endpoints,
        settings.channel_timeout_seconds,
        settings.data_dir,
        settings.push_contact,
        errand.held,
    )
    if not channel.leaves:
        await channel.deliver(message, line, outside)
        return
    first = not errand.repeat and not errand.payload.get("tried")
    with settings.providers.using(f"{medium} {channel.provider(line.address)}", urgent=urgent, first=first):
        await channel.deliver(message, line, outside)


async def line_to(route: str, desk: Desk) -> Line | None:
    """Where a contact route leads now; None when it was withdrawn."""
    endpoint: Stored | None = await desk.read(route)
    if endpoint is None or endpoint.resource.get("status") != "active":
        return None
    try:
        return line_of(endpoint.resource, desk.vault)
    except ValueError as error:  # it was locked by another key, of another database say
        raise DeliveryFailed("locked", permanent=True) from error


def attempt_id(errand: Errand) -> str:
    """The id of the first try: a try again is armed anew, and carries it along."""
    return str(errand.payload.get("attempt") or errand.attempt_id)


def is_repeat(errand: Errand) -> bool:
    """Whether it may have gone out before."""
    return errand.repeat or bool(errand.payload.get("tried"))


def again(errand: Errand, failure: DeliveryFailed) -> dict[str, object]:
    """What the next try after a failure carries along."""
    return {
        **errand.payload,
        "tries": int(errand.payload.get("tries", 0)) + 1,
        "attempt": attempt_id(errand),
        "tried": bool(errand.payload.get("tried")) or failure.reason not in NOT_SENT,
    }
