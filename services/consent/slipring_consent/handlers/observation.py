"""Observation after injection: armed by the completed administration, released by a named person, not before."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import Changes, Desk, Due, Resource, Save, Wake, Write, successor

from slipring_consent.contrast.exam import exam_of_administration
from slipring_consent.department import limits_of, settings_of
from slipring_consent.handlers.handing_over import refuse_by_hand
from slipring_consent.reading import has_code, moment, reference_of
from slipring_consent.resources import TASK_CODE, as_observation_state, as_observation_task, observation_ends


async def observation_begun(administration: Resource, given_at: datetime, desk: Desk) -> Changes:
    """Open the observation Task and arm its timer, once per administration."""
    reference = f"MedicationAdministration/{administration['id']}"
    if await desk.search(f"Task?code=observation&focus={reference}"):
        return Changes.none()
    until = observation_ends(given_at, limits_of(desk).limit("observation.minutes").value)
    exam = exam_of_administration(administration)
    task = as_observation_task(desk.new_id(), administration, exam, now=desk.now, until=until)
    wake = Wake(
        "observation-over",
        subject=f"Task/{task['id']}",
        after=max(until - desk.now, timedelta(0)),
        key=f"observation:{reference}",
    )
    return Changes(save=[Save(task)], wake=[wake], keys=[f"observation:{reference}"])


async def observation_over(due: Due, desk: Desk) -> Changes:
    """The time is over: the Task says so and waits for a named person's release."""
    task = await desk.read(due.subject)
    if task is None or task.resource["status"] != "in-progress":
        return Changes.none()
    return Changes(save=[successor(task, status="ready", businessStatus=as_observation_state("over"))])


async def task_changed(write: Write, desk: Desk) -> Changes:
    """An observation is released by a named person and not before its deadline."""
    refuse_by_hand(write)
    task = write.resource
    releases = task.get("status") == "completed" and (
        write.before is None or write.before.resource.get("status") != "completed"
    )
    if write.method == "delete" or write.imported or not releases:
        return Changes.none()
    standing = write.before.resource if write.before is not None else task  # the deadline is the stored one
    if not has_code(standing.get("code"), TASK_CODE, "observation"):
        return Changes.none()
    ends = standing.get("restriction", {}).get("period", {}).get("end")
    ends_at = moment(ends, settings_of(desk).time_zone)
    issues = []
    if ends_at is not None and desk.now < ends_at:
        issues.append(
            Issue(
                "business-rule",
                zh="留观时间未到，不能解除。",
                en="The observation time is not over yet.",
                at="Task.status",
                detail="consent.observation-time",
            )
        )
    if not reference_of(task.get("owner")):
        issues.append(
            Issue(
                "required",
                zh="解除留观须由具名人员负责。",
                en="A named person releases the patient from observation.",
                at="Task.owner",
                detail="consent.observation-owner",
            )
        )
    if issues:
        return Changes(refuse=FhirError(422, issues))
    return Changes(cancel=[f"observation:{reference_of(task.get('focus'))}"])
