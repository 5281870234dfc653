"""From a lane and its next events to what goes out: its subscriber's rights are judged here, right before sending.

They were judged before, when the event got its number. What may no longer be told since is not: a topic subscription
hears that there was an event of this number and nothing of what it was, a plain rest-hook hears nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.access import reaches, shows
from slipring.fhir.caller import Caller
from slipring.fhir.delivery.notification import Beside, Fields, Notification, Told, backport, plain
from slipring.fhir.delivery.rights import may_be_told, subscriber
from slipring.fhir.interactions.including import included
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.merged import with_records
from slipring.fhir.search.include import include
from slipring.fhir.store.reading import Row
from slipring.fhir.topics.hearing import Version

SILENCED = "the subscriber is not registered any more"


class Withheld(Exception):
    """The subscriber may not be told of this event any more; it keeps its number."""


class Silenced(Exception):
    """The subscriber is to be told nothing now: who asked for it is no longer registered, or locked."""


async def listener_of(kernel: Kernel, lane: Fields) -> Caller:
    """The subscriber with the rights that stand now; raises Silenced."""
    caller = await kernel.standing(subscriber(lane))
    if caller is None:
        raise Silenced
    return await with_records(caller, kernel.desk(caller))


async def notification_of(kernel: Kernel, lane: Fields, events: Sequence[Fields]) -> Notification:
    """What a subscriber is sent about these events; a plain rest-hook takes one at a time.

    Raises Withheld for an event, Silenced for the whole lane.
    """
    caller = await listener_of(kernel, lane)
    told = await told_of(kernel, lane, events, caller)
    if lane["content"]:
        return backport(kernel.base, lane, "event-notification", told, kernel.now())
    if not told[0].shown:
        raise Withheld
    return plain(lane, events[0])


async def told_of(
    kernel: Kernel, lane: Fields, events: Sequence[Fields], caller: Caller, content: str = ""
) -> list[Told]:
    """The events as this caller may know them, with what their topic adds."""
    topic = next((topic for topic in kernel.service.topics if topic.url == lane["topic"].partition("|")[0]), None)
    asked = topic.include if topic is not None and (content or lane["content"]) != "empty" else ()
    told = []
    for event in events:
        shown = may_be_told(caller, _about(kernel, event))
        context = await _context(kernel, event, asked, caller) if shown and asked else ()
        told.append(Told(event, shown, context))
    return told


def _about(kernel: Kernel, event: Fields) -> Version | None:
    """The version an event is about; None when it is no longer kept."""
    if event["body"] is None:
        return None
    audience = event["audience"]
    return Version(event["body"], kernel.zone, None if audience is None else tuple(audience))


async def _context(kernel: Kernel, event: Fields, asked: Sequence[str], caller: Caller) -> list[Beside]:
    """What the topic's includes lead to from the resource as it stands: kept here, and readable to the caller."""
    includes = [include(event["type"], "_include", text) for text in asked if text.startswith(f"{event['type']}:")]
    start = Row(
        event["key"],
        event["type"],
        event["resource_id"],
        event["version"],
        event["event_at"],
        event["method"] == "DELETE",
        "",
        event["body"],
    )
    return [
        Beside(row.reference, row.version, row.updated_at, row.text)
        for row in await included(kernel, Context(caller), kernel.store.pool, [start], includes)
        if shows(caller, row.audience) and reaches(caller, "r", row.stored().resource, kernel.zone)
    ]
