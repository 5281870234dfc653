"""Nobody releases though the time is over: the observer and whoever is in charge are told, step by step."""

from __future__ import annotations

from datetime import timedelta

from slipring.fhir.service import CANONICAL, Changes, Desk, Due, Resource, Save, Wake, successor

from slipring_consent.catalogue import data_file
from slipring_consent.department import limits_of
from slipring_consent.observing import task as observation
from slipring_consent.observing.policy import POLICY
from slipring_consent.observing.resources import as_state, as_told
from slipring_consent.reading import instant, reference_of

UNRELEASED = "observation-overdue"
_STAFF_ROLE = f"{CANONICAL}/CodeSystem/staff-role"
_ZH, _EN = (
    "患者留观时间已过，尚未解除，请立即查看。",
    "The observation time is long over and nobody has released the patient: look at once.",
)


def escalation_after(desk: Desk) -> timedelta:
    """How long after the end nobody is told yet; also the time between two steps."""
    return timedelta(minutes=int(limits_of(desk).limit("observation.overdue_minutes").value))


async def observation_overdue(due: Due, desk: Desk) -> Changes:
    """One step of the escalation: everybody on it is told, the next one is armed; the alarm stands until the release."""
    task = await desk.read(due.subject)
    if task is None or task.resource["status"] != "ready":
        return Changes.none()
    step = int(due.payload.get("step", 0))
    steps = data_file(POLICY)["escalation"]
    told = [
        Save(as_told(desk.new_id(), task.resource, who, _ZH, _EN, now=desk.now))
        for who in await _on_step(steps[step]["to"], task.resource, desk)
    ]
    over = successor(task, businessStatus=as_state("overdue"), lastModified=instant(desk.now))
    following = min(step + 1, len(steps) - 1)  # the last step is told again and again
    wake = Wake(UNRELEASED, due.subject, escalation_after(desk), due.key, {"step": following})
    return Changes(save=[over, *told], wake=[wake])


async def told_no_more(task_id: str, desk: Desk) -> list[Save]:
    """The notices of a Task that ended are done: nobody has to look any more."""
    notices = await desk.search(f"Task?code=notice&focus=Task/{task_id}")
    return [
        successor(one, status="completed", lastModified=instant(desk.now))
        for one in notices
        if not one.source and one.resource["status"] == "requested"
    ]


async def _on_step(named: list[str], task: Resource, desk: Desk) -> list[str]:
    """The people of one step, each once: the named observer, and who holds a role of the department."""
    found: list[str] = []
    for one in named:
        found += [observation.observer_of(task)] if one == "observer" else await holders(one, desk)
    return list(dict.fromkeys(filter(None, found)))


async def holders(role: str, desk: Desk) -> list[str]:
    """Who holds a role of slipring.staff now."""
    roles = await desk.search(f"PractitionerRole?role={_STAFF_ROLE}|{role}")
    return [reference_of(one.resource.get("practitioner")) for one in roles if one.resource.get("active", True)]
