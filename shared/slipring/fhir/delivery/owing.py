"""What a service still owes to an arrival whose handlers failed.

The copy is stored all the same: gates must see what is so, and a lane must not stand still because one resource meets
a fault. What should follow from it is tried again by a timer, until it is done; `/health/engine` shows how many are
owed (decision 0019).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from slipring.fhir.act import ARRIVAL
from slipring.fhir.kernel import Kernel
from slipring.fhir.service import Ahead, Arrival, Changes, Desk, Resource, Stored, Wake
from slipring.fhir.store import reading

_FIRST_AGAIN = timedelta(seconds=1)


def key_of(reference: str) -> str:
    """The timer's key: one debt for each resource."""
    return f"{ARRIVAL}:{reference}"


def owed(source: str, reference: str, before: reading.Row | None, standing: Mapping[str, Any] | None) -> Wake:
    """The debt of an arrival; one that stands goes on from the copy that was last dealt with."""
    dealt_with = (
        {"source": source, "before": before.text if before else "", "version": before.version if before else 0}
        if standing is None
        else standing
    )
    return Wake(ARRIVAL, reference, _FIRST_AGAIN, key_of(reference), dict(dealt_with))


async def standing(kernel: Kernel, reference: str) -> dict[str, Any] | None:
    """What is owed for a resource already."""
    payload = await kernel.store.pool.fetchval("SELECT payload FROM timer WHERE timer_key = $1", key_of(reference))
    found: dict[str, Any] | None = json.loads(payload) if payload else None
    return found


async def owing(kernel: Kernel, references: Sequence[str]) -> set[str]:
    """Those of these resources that something is owed for."""
    keys = {key_of(reference): reference for reference in references}
    found = await kernel.store.pool.fetch("SELECT timer_key FROM timer WHERE timer_key = ANY($1::text[])", list(keys))
    return {keys[row["timer_key"]] for row in found}


def dealt_with(debt: Mapping[str, Any], desk: Desk) -> Stored | None:
    """The copy that the handlers last knew."""
    if not debt["before"]:
        return None
    return Stored(json.loads(debt["before"], parse_float=Decimal), debt["version"], desk.now, debt["source"])


async def react(kernel: Kernel, reference: str, debt: Mapping[str, Any], desk: Desk) -> Changes:
    """Decide now what follows from the copy as it stands."""
    kind, _, resource_id = reference.partition("/")
    held = await reading.current(kernel.store.pool, kind, resource_id)
    if held is None:
        return Changes.none()
    resource: Resource = held.stored().resource
    arrival = Arrival(debt["source"], resource, held.version, held.deleted, dealt_with(debt, desk))
    return await follow_from(kernel, arrival, desk)


def ahead(kernel: Kernel, arrivals: Sequence[Arrival]) -> Ahead:
    """What the handlers of these will look at."""
    asked = [
        follows.ahead(arrival)
        for arrival in arrivals
        for follows in kernel.service.follows
        if follows.ahead and follows.service == arrival.source and follows.type == arrival.resource["resourceType"]
    ]
    return Ahead([r for one in asked for r in one.references], [q for one in asked for q in one.queries])


async def follow_from(kernel: Kernel, arrival: Arrival, desk: Desk) -> Changes:
    """What the handlers of this type decide."""
    changes = Changes.none()
    for follows in kernel.service.follows:
        if follows.then and follows.awaits(arrival.source, arrival.resource):
            changes = changes.plus(await follows.then(arrival, desk))
    return changes
