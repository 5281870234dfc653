"""How old the copies of another service's resources are: a gate decides on fresh ones, and keeps their time with it."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.fhir.service import CANONICAL, Desk, Resource

COPIES_AS_OF = f"{CANONICAL}/StructureDefinition/copies-as-of"


async def seconds_behind(service: str, at_most: timedelta, desk: Desk) -> str:
    """By how many seconds the copies are behind, where they are older than `at_most`; "?" when never filled; else empty."""
    as_of = await desk.as_of(service)
    if as_of is None:
        return "?"
    return f"{(desk.now - as_of).total_seconds():.0f}" if desk.now - as_of > at_most else ""


def decided_on(service: str, as_of: datetime) -> Resource:
    """The extension that says up to when the copies were complete that a decision relied on."""
    at = as_of.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "url": COPIES_AS_OF,
        "extension": [{"url": "service", "valueCode": service}, {"url": "at", "valueInstant": at}],
    }
