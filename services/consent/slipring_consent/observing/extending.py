"""A reaction keeps the patient longer: while it goes on, and for a while after it has resolved."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.fhir.service import Changes, Desk, Resource, Stored, Wake, successor
from slipring.rules.finding import Limit

from slipring_consent.department import limits_of, settings_of
from slipring_consent.observing import task as observation
from slipring_consent.observing.policy import after_reaction
from slipring_consent.observing.resources import as_state, is_observation, said
from slipring_consent.reactions.grades import worst_of
from slipring_consent.reactions.said import RESOLVED, WRONG, phase_of, suspects_of
from slipring_consent.reading import instant, is_coded, moment

OVER = "observation-over"
_SET_ANEW = ("observation-limit", "observation-reason")


async def after_a_reaction(event: Resource, before: Resource | None, desk: Desk) -> Changes:
    """What a reaction makes of the observations of the injections it is thought to come from; none, once they ended.

    Called whenever a reaction is written; `before`: as it stood. While it is open, they last until its onset and the
    time that its severity asks for; once it has resolved, that time from now. They never become shorter.
    """
    resolved = phase_of(event) in RESOLVED
    if event.get("actuality") != "actual" or (resolved and before is not None and phase_of(before) in RESOLVED):
        return Changes.none()
    limit = after_reaction(severity_of(event), limits_of(desk))
    counts_from = desk.now if resolved else _onset(event, desk)
    changes = Changes.none()
    for injection in suspects_of(event, "MedicationAdministration"):
        for task in await running_after(injection, desk):
            changes = changes.plus(
                _kept(task, counts_from, limit, desk, resolved=resolved, mistaken=phase_of(event) == WRONG)
            )
    return Changes.none() if changes.nothing else changes


def severity_of(event: Resource) -> str:
    """mild, moderate or severe, the worst of all scales; unknown where it says nothing."""
    return worst_of(event.get("severity")) or "unknown"


async def running_after(injection: str, desk: Desk) -> list[Stored]:
    """The observations after an injection that have not ended."""
    found = await desk.search(f"Task?code=observation&focus={injection}")
    return [one for one in found if is_observation(one.resource) and one.resource["status"] in observation.RUNNING]


def _kept(task: Stored, counts_from: datetime, limit: Limit, desk: Desk, *, resolved: bool, mistaken: bool) -> Changes:
    standing = observation.ends_at(task.resource, settings_of(desk).time_zone)
    asked = counts_from + timedelta(minutes=int(limit.value))
    longer = not mistaken and (standing is None or asked > standing)
    ends = asked if longer else standing or asked
    state = "running" if resolved else "reaction"
    if resolved and ends <= desk.now:
        state = observation.state_of(task.resource)
    if not longer and state == observation.state_of(task.resource):
        return Changes.none()
    injection = observation.injection_of(task.resource)
    saved = successor(
        task,
        status="in-progress",
        businessStatus=as_state(state),
        lastModified=instant(desk.now),
        **(_deadline(task.resource, ends, limit) if longer else {}),
    )
    wake = Wake(OVER, task.reference, max(ends - desk.now, timedelta(0)), observation.timer_of(injection))
    return Changes(save=[saved], wake=[wake])


def _deadline(task: Resource, ends: datetime, limit: Limit) -> Resource:
    kept = [one for one in task.get("input", []) if not any(is_coded(one.get("type"), kind) for kind in _SET_ANEW)]
    why = [
        said("observation-limit", valueCode=limit.id),
        said("observation-reason", valueString="发生不良反应 / a reaction"),
    ]
    period = {**task.get("restriction", {}).get("period", {}), "end": instant(ends)}
    return {"restriction": {"period": period}, "input": [*kept, *why]}


def _onset(event: Resource, desk: Desk) -> datetime:
    """When the reaction began; it is not in the future, and now where nothing is said."""
    begun = moment(event.get("date"), settings_of(desk).time_zone)
    return min(begun, desk.now) if begun is not None else desk.now
