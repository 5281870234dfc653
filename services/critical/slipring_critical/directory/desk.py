"""The staffed desk: where every ladder ends, so that the last step always rings somebody who is there.

Without one nothing is refused: a finding that was flagged rings as far as the ladder goes, again and again. But a Task says
that the end is open, on the pages, in `/health/engine` and by a heartbeat that stops (decision 29).
"""

from __future__ import annotations

from slipring.fhir.service import Changes, Desk

from slipring_critical.cases.facts import TASK_CODE
from slipring_critical.cases.resources import coded
from slipring_critical.directory.alarms import raised, settled
from slipring_critical.directory.people import reachable, routes_in_force
from slipring_critical.ladders.ladder import FALLBACK

STAFFED_DESK = "staffed-desk"
_TASK = "k-staffed-desk"  # one for all replicas


async def is_staffed(desk: Desk) -> bool:
    """Whether there is a route of the desk: that of the settings, or one registered for the office itself."""
    return bool(desk.settings.fallback_route) or reachable([FALLBACK], await routes_in_force(desk))


async def desk_looked(desk: Desk, *, staffed: bool | None = None) -> Changes:
    """The Task that no desk is staffed: opened, or done. A demo rings its own phones and needs none."""
    there = await is_staffed(desk) if staffed is None else staffed
    task = await desk.read(f"Task/{_TASK}")
    if there or desk.settings.endpoints.demo:
        return Changes(save=settled(task, desk))
    return Changes(save=raised(task, {"id": _TASK, "code": coded(TASK_CODE, STAFFED_DESK)}, desk))
