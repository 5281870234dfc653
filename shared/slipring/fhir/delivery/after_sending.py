"""What an errand has to record once it has sent, laid on what others have written meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from slipring.fhir.service import Changes, Desk, successor


async def on_what_stands(changes: Changes, desk: Desk) -> Changes:
    """What an errand wants to store, laid on versions written while it was under way.

    It has been sent, so this must be recorded: sending again because somebody else wrote would be worse. Only the
    members that the errand changed are taken over, of lists only the items; a resource deleted meanwhile stays deleted.
    """
    saves = []
    for save in changes.save:
        reference = f"{save.resource['resourceType']}/{save.resource['id']}"
        if save.replaces is None:
            saves.append(save)
            continue
        standing, base = await desk.read(reference), await desk.read_version(reference, save.replaces)
        if standing is not None and (base is None or standing.version == save.replaces):
            saves.append(save)
        elif standing is not None and base is not None:
            names = (set(save.resource) | set(base.resource)) - {"id", "meta"}
            told = {name: (save.resource.get(name), base.resource.get(name)) for name in names}
            members = {
                n: _laid_on(standing.resource.get(n), mine, was) for n, (mine, was) in told.items() if mine != was
            }
            saves.append(successor(standing, **members))
    return replace(changes, save=saves, require=())


def _laid_on(standing: Any, mine: Any, before: Any) -> Any:
    """A member as an errand leaves it; of a list what others have added to it meanwhile stays."""
    if not isinstance(mine, list) or not isinstance(standing, list):
        return mine
    was = before or []
    kept = [one for one in standing if one in mine or one not in was]
    return [*kept, *(one for one in mine if one not in was and one not in kept)]
