"""A resource to which others refer is not deleted (409): its referrers would point at nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from slipring.fhir.desk import LiveDesk
from slipring.fhir.intent import Intent, placed
from slipring.fhir.outcome import conflict
from slipring.fhir.search.index import rows
from slipring.fhir.store.relied import Unreferred


async def refuse_referred(
    intents: Collection[Intent],
    written: Collection[str],
    keys: Collection[str],
    desk: LiveDesk,
    told: Callable[[str], Awaitable[bool]],
) -> None:
    """Refuse deletions of what is referred to; a referrer that leaves in the same act does not count.

    `written` are all references that the act writes, `keys` the reference parameters by which anything held here may
    refer, `told` whether the caller may hear of a referrer. That nothing refers to it is looked at again under locks
    when the act is stored.
    """
    for intent in intents:
        if intent.method != "delete":
            continue
        kind, _, name = intent.reference.partition("/")
        staying = [one for one in intents if one.method != "delete"]
        inside = [
            o.reference
            for o in staying
            if any(r.type == kind and r.id == name for r in rows(o.amended(), desk.zone).references)
        ]
        by = inside[0] if inside else await desk.referrer(Unreferred(intent.reference, tuple(keys), frozenset(written)))
        if by is not None:
            by, zh = (by, by) if inside or await told(by) else ("Another resource", "另有资源")
            raise placed(
                conflict(
                    f"{by} refers to {intent.reference}; delete it, or what it says of this one, first.",
                    f"{zh} 引用了 {intent.reference}，请先删除该资源或其引用。",
                    detail="kernel.still-referred",
                ),
                intent.place,
            )
