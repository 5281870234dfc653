"""A nonconformity moves along the table of the house: cause, action and effect before it is closed (4.9-4.12)."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from slipring.fhir.service import Changes, Desk, Resource, Write
from slipring.quality import life
from slipring.quality.moving import demand_another, fixed, step_of, verifier_of

from slipring_consent.department import settings_of
from slipring_consent.observing.escalating import told_no_more
from slipring_consent.people import staff_behind
from slipring_consent.reading import reference_of
from slipring_consent.surveillance.cluster import ENDED, WHICH_LOT, figures_of


def is_quality_task(task: Resource) -> bool:
    """Whether a Task is a nonconformity or a complaint."""
    return bool(life.kind_of(task))


async def quality_written(write: Write, desk: Desk) -> Changes:
    """Open a nonconformity or complaint, or move it one step."""
    before, zone = write.before.resource if write.before is not None else None, settings_of(desk).time_zone
    step = step_of(before, write.resource, now=desk.now, zone=ZoneInfo(zone))
    if step.verified:
        person, roles = await staff_behind(desk, desk.caller.practitioner or reference_of(verifier_of(write.resource)))
        owner, _ = await staff_behind(desk, reference_of(write.resource.get("owner")))
        demand_another(person, roles, owner, now=desk.now, zone=zone)
    members = step.members | (_with_figures(before, write.resource) if before is not None else {})
    ended = before is not None and step.members.get("status") in ENDED
    done = await told_no_more(write.resource["id"], desk) if ended else []
    return Changes(save=done, members=members)


def _with_figures(before: Resource, after: Resource) -> Resource:
    """By what a lot stands out, and which lot, only the service writes: left out it comes back, altered it is refused (422)."""
    kept, said = figures_of(before), figures_of(after)
    if not kept:
        return {}
    if said not in (kept, []):
        raise fixed("input")
    members: Resource = {} if said == kept else {"input": [*kept, *after.get("input", [])]}
    for member in WHICH_LOT:
        if member in after and after[member] != before.get(member):
            raise fixed(member)
        if member in before and member not in after:
            members[member] = before[member]
    return members
