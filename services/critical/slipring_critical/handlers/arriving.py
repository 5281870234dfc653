"""A flagged finding and its hand-over arrive, in either order: a case opens, or one that stands takes them on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from slipring.fhir.service import Ahead, Arrival, Changes, Desk, Due, Resource, Stored, Wake, successor
from slipring.quality.critical_catalogue import IN_FORCE as EDITIONS

from slipring_critical.cases.facts import (
    Event,
    first_reference,
    is_case,
    is_flag,
    is_handover,
    reference_of,
    waits,
)
from slipring_critical.cases.flag import FlaggedFinding, flagged_finding, stated_level
from slipring_critical.cases.resources import with_event
from slipring_critical.directory.policy import LADDERS
from slipring_critical.ringing.climbing import OPEN_CASE, urgency_of_level
from slipring_critical.ringing.one_call import cases_of
from slipring_critical.ringing.opening import joined, opened, standing, still_open, told_before

_LOOK_AGAIN = timedelta(milliseconds=250)
_LONGEST_WAIT = timedelta(seconds=10)  # well within the minute after which report itself calls somebody


async def finding_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """A flagged Observation is here: look whether its hand-over is too, or tell the case what became of it."""
    if arrival.deleted or not is_flag(arrival.resource):
        return Changes.none()
    if arrival.before is not None:
        return await _changed_since(arrival, arrival.before.resource, desk)
    return _look_for_case(arrival.resource, {})


async def _changed_since(arrival: Arrival, before: Resource, desk: Desk) -> Changes:
    """A finding that was corrected or proved wrong stands in the timeline; its case stays open till a person has answered."""
    status = arrival.resource.get("status")
    cases = await _cases_of(arrival.reference, desk)
    if not cases:
        return _look_for_case(arrival.resource, {})
    if status == before.get("status"):
        return await _perhaps_risen(arrival.resource, cases, desk)
    told = Event(f"finding-{status}", desk.now, first_reference(arrival.resource.get("performer"), "Practitioner"))
    return Changes(save=[successor(case, **with_event(case.resource, told)) for case in cases])


async def _perhaps_risen(finding: Resource, cases: Sequence[Stored], desk: Desk) -> Changes:
    """The same finding was found to be more urgent: its cases ring at the new level."""
    changes = Changes.none()
    for case in cases:
        changes = changes.plus(await joined(case, [], flagged_finding(finding, {}, None), desk, "flagged-again"))
    return changes


async def _cases_of(finding: str, desk: Desk) -> list[Stored]:
    """The cases that run for a finding: the one it opened, and one it joined, which knows it by its hand-over only."""
    about = await desk.search(f"Task?focus={finding}")
    handovers = [one.reference for one in about if is_handover(one.resource)]
    joined = await desk.search(f"Task?based-on={','.join(handovers)}") if handovers else []
    return list({one.reference: one for one in (*about, *joined) if is_case(one.resource)}.values())


async def handover_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """A hand-over is here: look whether its finding is too."""
    finding = reference_of(arrival.resource.get("focus"))
    if not finding or not waits(arrival.resource) or arrival.deleted:
        return Changes.none()
    held = await desk.read(finding)
    kind, _, name = finding.partition("/")
    return _look_for_case(held.resource if held else {"resourceType": kind, "id": name}, arrival.resource)


def _look_for_case(finding: Resource, handover: Resource, *, after: timedelta = timedelta(0)) -> Changes:
    # Both halves arm the same deadline. Whichever commits last, the look happens after it: two arrivals at the same
    # moment, neither seeing the other, cannot leave a finding without its case.
    # Of many the most urgent is looked at first; one whose level nobody has stated yet counts as the most urgent.
    reference, urgency = f"{finding['resourceType']}/{finding['id']}", urgency_of_level(stated_level(finding, handover))
    return Changes(wake=[Wake(OPEN_CASE, reference, after, f"open:{reference}", urgency=urgency)])


async def both_arrived(due: Due, desk: Desk) -> Changes:
    """Open the case of a flagged finding once both halves are here, and ring the first step of its ladder.

    A second look finds the case and changes nothing; a second flag of the same finding of the same exam joins it.
    """
    about = f"Task?focus={due.subject}"
    await desk.foresee(Ahead([due.subject], [about]))
    observation = await desk.read(due.subject)
    handovers = [task for task in await desk.search(about) if waits(task.resource)]
    if observation is None or not handovers or observation.resource.get("status") == "entered-in-error":
        return Changes.none()
    handover = handovers[0]
    basis = first_reference(handover.resource.get("basedOn"), "DiagnosticReport")
    report = await desk.read(basis) if basis else None
    if report is not None and report.resource.get("status") == "entered-in-error":
        return Changes.none()  # withdrawn before anybody was rung
    flag = flagged_finding(observation.resource, handover.resource, report.resource if report else None)
    await desk.foresee(Ahead([flag.request], [cases_of(flag.patient)] if flag.patient else []))
    await desk.searches([EDITIONS, LADDERS])  # at once, to be found below
    if await _is_on_its_way(flag, handover, desk):
        return _look_for_case(observation.resource, handover.resource, after=_LOOK_AGAIN)
    references = [one.reference for one in handovers]
    cases, before = await standing(flag, desk)
    running = still_open(cases)
    if cases and (running or not _told_again(cases, flag, handover)):
        return await joined((running or cases)[0], references, flag, desk, "flagged-again")
    told = await told_before(flag, desk)
    if told is not None:
        return await joined(told, references, flag, desk, "flagged-unchanged")
    _, changes = await opened(flag, observation.resource.get("code"), handover.reference, desk, before=before)
    return changes


async def _is_on_its_way(flag: FlaggedFinding, handover: Stored, desk: Desk) -> bool:
    """Whether the order is not here yet, though it was kept before the hand-over: without it nobody knows its requester.

    After an outage the copies of order may come later than the finding. They are not waited for long.
    """
    if not flag.request or desk.now - handover.updated_at >= _LONGEST_WAIT or await desk.read(flag.request):
        return False
    complete = await desk.as_of("order")
    return complete is None or complete < handover.updated_at


def _told_again(cases: Sequence[Stored], flag: FlaggedFinding, handover: Stored) -> bool:
    """Whether a reaction became severe once more, which consent hands over anew: a closed case runs for nobody."""
    taken = {reference_of(basis) for case in cases for basis in case.resource.get("basedOn", [])}
    return bool(flag.reaction) and handover.reference not in taken
