"""Observation after injection: begun by the injection, over by the clock, released by a named person, not before (5.4.4.1)."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.fhir.merged import merge_set
from slipring.fhir.outcome import FhirError, Issue, unprocessable
from slipring.fhir.service import Changes, Desk, Due, Resource, Save, Wake, Write, successor

from slipring_consent.contrast.exam import exam_of_administration
from slipring_consent.contrast.telling_apart import in_words, number_in
from slipring_consent.department import limits_of, settings_of
from slipring_consent.lifecycle import OBSERVATION, illegal
from slipring_consent.observing import task as observation
from slipring_consent.observing.ending import released
from slipring_consent.observing.escalating import UNRELEASED, escalation_after, told_no_more
from slipring_consent.observing.extending import OVER, running_after
from slipring_consent.observing.policy import Length, length_for
from slipring_consent.observing.release import reaction_open
from slipring_consent.observing.resources import as_injection, as_observation_task, as_state, is_observation
from slipring_consent.people import observer_of
from slipring_consent.reading import instant, reference_of
from slipring_consent.rules import SCREENING_RULES
from slipring_consent.screening.known import screening_known, screening_of
from slipring_consent.verdicts import checked


async def observation_begun(administration: Resource, given_at: datetime, desk: Desk) -> Changes:
    """Open the observation Task and arm its timer, once per injection; what is told long after rings nobody."""
    reference = f"MedicationAdministration/{administration['id']}"
    if await desk.search(f"Task?code=observation&focus={reference}"):
        return Changes.none()
    exam = exam_of_administration(administration)
    others = await desk.search(f"Task?code=observation&based-on={exam}") if exam else []
    length = await _length(administration, desk)
    ends = length.ends(given_at)
    state = "running" if desk.now < ends + escalation_after(desk) else "recorded-late"
    task = as_observation_task(
        desk.new_id(),
        administration,
        exam,
        length,
        begun_at=given_at,
        now=desk.now,
        observer=observer_of(administration),
        state=state,
        which=await in_words(administration, desk, number=1 + len(others)),
    )
    key = observation.timer_of(reference)
    wake = Wake(OVER, subject=f"Task/{task['id']}", after=max(ends - desk.now, timedelta(0)), key=key)
    return Changes(save=[Save(task)], wake=[wake] if state == "running" else [], keys=[key])


async def _length(administration: Resource, desk: Desk) -> Length:
    """How long this patient is observed: by what the screening of the exam finds, decided upon or not."""
    exam, patient = exam_of_administration(administration), reference_of(administration.get("subject"))
    person = await merge_set(patient, desk) if patient else frozenset[str]()
    screening = await screening_of(desk, exam, person) if exam else None
    response: Resource = screening.resource if screening else {"subject": {"reference": patient}}
    findings = checked(await screening_known(desk, response), SCREENING_RULES, desk) if patient else []
    return length_for((one.rule for one in findings), limits_of(desk))


async def observation_over(due: Due, desk: Desk) -> Changes:
    """The time is over: the Task says so and waits for a named person's release; a reaction that goes on keeps it."""
    task = await desk.read(due.subject)
    if task is None or task.resource["status"] != "in-progress":
        return Changes.none()
    if await reaction_open(task.resource, desk):
        return Changes(wake=[Wake(OVER, due.subject, escalation_after(desk), due.key)])
    ends = observation.ends_at(task.resource, settings_of(desk).time_zone) or desk.now
    wake = Wake(UNRELEASED, due.subject, max(ends + escalation_after(desk) - desk.now, timedelta(0)), due.key)
    saved = successor(task, status="ready", businessStatus=as_state("over"), lastModified=instant(desk.now))
    return Changes(save=[saved], wake=[wake])


async def observation_reworded(administration: Resource, desk: Desk) -> Changes:
    """The record of an injection was corrected: the observation that runs names it as it stands now."""
    saves = []
    for task in await running_after(f"MedicationAdministration/{administration['id']}", desk):
        before = next(iter(observation.told(task.resource, "input", "injection")), "")
        which = as_injection(await in_words(administration, desk, number=number_in(str(before))))
        others = [one for one in task.resource.get("input", []) if one.get("type") != which["type"]]
        if before != which["valueString"]:
            saves.append(successor(task, input=[which, *others], lastModified=instant(desk.now)))
    return Changes(save=saves) if saves else Changes.none()


async def observation_given_back(reference: str, desk: Desk) -> Changes:
    """The injection was recorded wrongly: there is nothing to observe, and nothing rings."""
    saves = []
    for task in await running_after(reference, desk):
        given_back = as_state("given-back")
        saves.append(
            successor(task, status="entered-in-error", businessStatus=given_back, lastModified=instant(desk.now))
        )
        saves += await told_no_more(task.resource["id"], desk)
    return Changes(save=saves, cancel=[observation.timer_of(reference)] if saves else [])


async def task_changed(write: Write, desk: Desk) -> Changes:
    """An observation moves along its table: released by a named person and not before its deadline."""
    before = write.before.resource if write.before is not None else None
    if write.method == "delete" or write.imported or not is_observation(before or write.resource):
        return Changes.none()
    state, target = (before or {}).get("status", "none"), write.resource["status"]
    if target == "completed" and state != target and not (error := illegal(OBSERVATION, state, target, "Task.status")):
        changes = await released(write.resource, before or write.resource, desk)
        if changes.refuse is None and before is not None:
            _demand_unaltered(before, write.resource)
        return changes
    if before is None:
        return Changes.none()
    _demand_unaltered(before, write.resource)
    if target == state:
        return Changes(members=_standing(before))
    if error := illegal(OBSERVATION, state, target, "Task.status"):
        return Changes(refuse=error)
    return await _marked_wrong(before, desk)


async def _marked_wrong(standing: Resource, desk: Desk) -> Changes:
    """An observation was never there only when its injection was not: else marking it wrong would end it unseen."""
    injection = observation.injection_of(standing)
    stored = await desk.read(injection) if injection else None
    if stored is not None and stored.resource.get("status") != "entered-in-error":
        raise unprocessable(
            "The injection stands, and so does its observation: correct the injection first.",
            "注射记录仍有效，留观不能标为错误；请先更正注射记录。",
            at="Task.status",
            detail="consent.observation-of-an-injection",
        )
    members = {"businessStatus": as_state("given-back"), "lastModified": instant(desk.now)}
    done = await told_no_more(standing["id"], desk)
    return Changes(save=done, members=members, cancel=[observation.timer_of(injection)])


def _demand_unaltered(before: Resource, after: Resource) -> None:
    """Deadline, injection and patient are the service's: left out they come back, altered they are refused."""
    issues = [
        Issue(
            "business-rule",
            zh="留观记录的该项由系统维护，不可更改。",
            en="This of an observation is kept by the service and cannot be changed.",
            at=f"Task.{member}",
            detail="consent.observation-fixed",
        )
        for member in observation.FIXED
        if member in after and after[member] != before.get(member)
    ]
    if issues:
        raise FhirError(422, issues)


def _standing(before: Resource) -> dict[str, object]:
    """What the service keeps, as it stands, whatever was left out."""
    return {name: before[name] for name in (*observation.FIXED, "businessStatus") if name in before}
