"""Definitions that a service ships stand in its store from the start on, each once: a new release adds new versions beside them."""

from __future__ import annotations

import asyncpg

from slipring.fhir.act import Act, perform_locked
from slipring.fhir.caller import itself
from slipring.fhir.kernel import Context, Kernel
from slipring.fhir.service import Changes, Save
from slipring.fhir.store.reading import current


async def lay_down(kernel: Kernel) -> int:
    """Store what is shipped and not there yet; how many. Replicas that start together wait for one."""
    service, pool = kernel.service, kernel.store.pool
    missing = [one for one in service.ships if await current(pool, one["resourceType"], one["id"]) is None]
    if not missing:
        return 0

    async def decide(connection: asyncpg.Connection) -> tuple[Act, int]:
        context = Context(itself(service.name))
        act = Act(kernel, context, kernel.desk(context.caller, connection))
        new = [one for one in missing if await current(connection, one["resourceType"], one["id"]) is None]
        act.add(Changes(save=[Save(one) for one in new]))
        return act, len(new)

    _, _, stored = await perform_locked(kernel, [f"shipped {kernel.store.schema}"], decide)
    return stored
