"""A flagged finding and its hand-over arrive, in either order: a case opens, or one that stands takes them on."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from slipring.fhir.service import Arrival, Changes, Desk, Due, Resource, Stored, Wake, successor
from slipring.rules.rulebook import check

from slipring_critical.cases.facts import (
    CASE_KEY,
    Event,
    FlaggedFinding,
    case_facts,
    first_reference,
    flagged_finding,
    is_case,
    is_flag,
    is_handover,
    reference_of,
    waits,
)
from slipring_critical.cases.resources import as_case, with_event
from slipring_critical.ladders.ladder import default_ladder
from slipring_critical.lifecycle import OPEN
from slipring_critical.ringing.climbing import OPEN_CASE, climb, ringing
from slipring_critical.rules import FLAG_RULES, NO_LIMITS
from slipring_critical.rules.what_is_critical import FlagFacts, level_of


async def finding_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """A flagged Observation is here: look whether its hand-over is too, or tell the case what became of it."""
    if arrival.deleted or not is_flag(arrival.resource):
        return Changes.none()
    if arrival.before is not None:
        return await _changed_since(arrival, arrival.before.resource, desk)
    return _look_for_case(arrival.reference)


async def _changed_since(arrival: Arrival, before: Resource, desk: Desk) -> Changes:
    """A finding that was corrected or proved wrong stands in the timeline; its case stays open till a person has answered."""
    status = arrival.resource.get("status")
    cases = await _cases_of(arrival.reference, desk)
    if not cases:
        return _look_for_case(arrival.reference)
    if status == before.get("status"):
        return Changes.none()
    told = Event(f"finding-{status}", desk.now, first_reference(arrival.resource.get("performer"), "Practitioner"))
    return Changes(save=[successor(case, **with_event(case.resource, told)) for case in cases])


async def _cases_of(finding: str, desk: Desk) -> list[Stored]:
    """The cases that run for a finding: the one it opened, and one it joined, which knows it by its hand-over only."""
    about = await desk.search(f"Task?focus={finding}")
    handovers = [one.reference for one in about if is_handover(one.resource)]
    joined = await desk.search(f"Task?based-on={','.join(handovers)}") if handovers else []
    return list({one.reference: one for one in (*about, *joined) if is_case(one.resource)}.values())


async def handover_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """A hand-over is here: look whether its finding is too."""
    finding = reference_of(arrival.resource.get("focus"))
    return _look_for_case(finding) if finding and waits(arrival.resource) and not arrival.deleted else Changes.none()


def _look_for_case(finding: str) -> Changes:
    # Both halves arm the same deadline. Whichever commits last, the look happens after it: two arrivals at the same
    # moment, neither seeing the other, cannot leave a finding without its case.
    return Changes(wake=[Wake(OPEN_CASE, finding, key=f"open:{finding}")])


async def both_arrived(due: Due, desk: Desk) -> Changes:
    """Open the case of a flagged finding once both halves are here, and ring the first step of its ladder.

    A second look finds the case and changes nothing; a second flag of the same finding of the same exam joins it.
    """
    observation = await desk.read(due.subject)
    handovers = [task for task in await desk.search(f"Task?focus={due.subject}") if waits(task.resource)]
    if observation is None or not handovers or observation.resource.get("status") == "entered-in-error":
        return Changes.none()
    handover = handovers[0]
    basis = first_reference(handover.resource.get("basedOn"), "DiagnosticReport")
    report = await desk.read(basis) if basis else None
    if report is not None and report.resource.get("status") == "entered-in-error":
        return Changes.none()  # withdrawn before anybody was rung
    flag = flagged_finding(observation.resource, handover.resource, report.resource if report else None)
    standing = await desk.search(f"Task?identifier={quote(f'{CASE_KEY}|{flag.case_key}', safe='')}")
    still_open = [case for case in standing if case_facts(case.resource).state in OPEN]
    if standing and (still_open or not _told_again(standing, flag, handovers[0])):
        return _joined((still_open or standing)[0], handovers, flag, desk)
    return await _opened(flag, observation.resource, handover.reference, desk, before=len(standing))


def _told_again(standing: Sequence[Stored], flag: FlaggedFinding, handover: Stored) -> bool:
    """Whether a reaction became severe once more, which consent hands over anew: a closed case runs for nobody."""
    taken = {reference_of(basis) for case in standing for basis in case.resource["basedOn"]}
    return bool(flag.reaction) and handover.reference not in taken


async def _opened(flag: FlaggedFinding, observation: Resource, handover: str, desk: Desk, *, before: int) -> Changes:
    facts = FlagFacts(flag.finding, flag.level)
    policy = default_ladder(
        level_of(facts),
        flag.finding,
        with_fallback=bool(desk.settings.fallback_route),
        file=desk.settings.ladder,
    )
    case = as_case(desk.new_id(), flag, observation, handover, policy, now=desk.now)
    for finding in check(facts, FLAG_RULES, NO_LIMITS.on(desk.now.date()), desk.now):
        case = with_event(case, Event("rule-finding", desk.now, finding.rule))
    rung = await ringing(case, desk)
    await climb(rung, desk)
    again = f"#{before + 1}" if before else ""
    return rung.changes(0).plus(Changes(keys=[f"case:{flag.case_key}{again}"]))


def _joined(case: Stored, handovers: Sequence[Stored], flag: FlaggedFinding, desk: Desk) -> Changes:
    """The case stands already: the hand-overs it does not know yet are taken on with it."""
    known = {reference_of(basis) for basis in case.resource["basedOn"]}
    fresh = [{"reference": handover.reference} for handover in handovers if handover.reference not in known]
    if not fresh:
        return Changes.none()
    tree = with_event(case.resource, Event("flagged-again", desk.now, flag.author))
    return Changes(save=[successor(case, **{**tree, "basedOn": [*tree["basedOn"], *fresh]})])
