"""Nonconformities and complaints move along their table, each step with what it needs (4.8, 4.9-4.12)."""

from __future__ import annotations

from slipring.fhir.service import Changes, Desk, Resource, Write
from slipring.quality import life
from slipring.quality.moving import demand_another, step_of, verifier_of

from slipring_order.handlers.qc_verification import demand_verified
from slipring_order.people import person_and_roles
from slipring_order.reading import reference_of


def is_quality_task(task: Resource) -> bool:
    """Whether a Task is a nonconformity or a complaint."""
    return bool(life.kind_of(task))


async def quality_written(write: Write, desk: Desk) -> Changes:
    """Open a nonconformity or complaint, or move it one step."""
    before = write.before.resource if write.before is not None else None
    step = step_of(before, write.resource, now=desk.now, zone=desk.settings.zone)
    if life.state_of(write.resource) == "closed":
        await demand_verified(write.resource, desk)
    if step.verified:
        person, roles = await person_and_roles(
            desk.caller.practitioner or reference_of(verifier_of(write.resource)), desk
        )
        owner, _ = await person_and_roles(reference_of(write.resource.get("owner")), desk)
        demand_another(person, roles, owner, now=desk.now, zone=desk.settings.time_zone)
    return Changes(members=step.members)
