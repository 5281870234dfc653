"""What ran out of time: a step stays unanswered, an attempt fails, nobody says what was done."""

from __future__ import annotations

from collections.abc import Sequence

from slipring.fhir.service import Ahead, Changes, Desk, Due, Stored, Wake

from slipring_critical.cases.facts import Event, case_facts
from slipring_critical.cases.resources import in_state, with_event
from slipring_critical.directory.routes import Directory, Route, directory
from slipring_critical.ladders.ladder import Ladder, nobody_reached
from slipring_critical.lifecycle import AWAITING_ACTION, RINGING, move
from slipring_critical.ringing.climbing import (
    ACTED_OVERDUE,
    ATTEMPT_FAILED,
    act_key,
    by_any_channel,
    climb,
    ringing,
    urgency_of,
)
from slipring_critical.ringing.next_channel import by_other_channels, works
from slipring_critical.ringing.one_call import riding_along


async def step_overdue(due: Due, desk: Desk) -> Changes:
    """Nobody answered in time: ring the next step of the ladder."""
    case = await desk.read(due.subject)
    if case is None or case_facts(case.resource).state not in RINGING:
        return Changes.none()
    # The deadline itself says that the time is over, whatever this machine's clock reads; a deadline that an earlier
    # step left behind only looks whether anything is due.
    current = len(case_facts(case.resource).history) == due.payload.get("steps")
    rung = await ringing(case.resource, desk)
    await climb(rung, desk, at_once=current)
    return rung.changes(case.version)


async def attempt_failed(due: Due, desk: Desk) -> Changes:
    """An attempt failed: the next channel of its target rings at once; when none is left that would do, the next step.

    Whoever shares the call, another finding of the same exam, looks for himself.
    """
    case = await desk.read(due.subject)
    if case is None:
        return Changes.none()
    facts, told = case_facts(case.resource), f"Communication?part-of={case.reference}"
    await desk.foresee(Ahead([facts.request], [told]))
    attempts = await desk.search(told)
    if facts.state == "reopened":
        return await _owner_not_reached(case, attempts, desk)
    if facts.state not in RINGING:
        return Changes.none()
    rung = await ringing(case.resource, desk)
    found = await by_other_channels(rung, attempts, desk)
    for rider in await riding_along(facts, desk):
        rung.wake.append(Wake(ATTEMPT_FAILED, rider, key=f"rode:{rider}", urgency=urgency_of(case.resource)))
    last = facts.history[-1]
    if last.reached and not facts.policy.rungs[last.number - 1].reached_by(found.lost):
        rung.case = with_event(rung.case, Event("step-failed", desk.now, outcome="partly" if found.left else ""))
        failed = case_facts(rung.case)
        if nobody_reached(failed.policy, failed.history):  # the boards say so until a step reaches somebody
            rung.case = in_state(rung.case, move(failed.state, "nobody-reached"))
        await climb(rung, desk)
    return rung.changes(case.version) if rung.case is not case.resource or rung.wake else Changes.none()


async def _owner_not_reached(case: Stored, attempts: Sequence[Stored], desk: Desk) -> Changes:
    """Whoever said he had it cannot be rung: everyone of the ladder is, once for each silence."""
    events = case_facts(case.resource).events
    since = max((event.at for event in events if event.what == "acted-overdue"), default=desk.now)
    told = any(event.what == "owner-not-reached" and event.at >= since for event in events)
    if told or any(works(attempt, since) for attempt in attempts):
        return Changes.none()
    facts = case_facts(case.resource)
    rung = await ringing(with_event(case.resource, Event("owner-not-reached", desk.now, facts.owner)), desk)
    people = await directory(desk, facts.request, {})
    for route in _everyone(facts.policy, people):
        await rung.ring(route, desk, within=facts.policy.act_within)
    return rung.changes(case.version)


def _everyone(policy: Ladder, people: Directory) -> list[Route]:
    whole = tuple(dict.fromkeys(who for step in policy.rungs for who in step.who))
    return people.routes(by_any_channel(policy.rungs[0], whole))[0]


async def acted_overdue(due: Due, desk: Desk) -> Changes:
    """Acknowledged and then silence: the case reopens and rings its owner, until something is done."""
    case = await desk.read(due.subject)
    if case is None or case_facts(case.resource).state not in AWAITING_ACTION:
        return Changes.none()
    facts = case_facts(case.resource)
    tree = in_state(case.resource, move(facts.state, "silence"))
    rung = await ringing(with_event(tree, Event("acted-overdue", desk.now, facts.owner)), desk)
    people = await directory(desk, facts.request, {"owner": facts.owner})
    routes, _ = people.routes(by_any_channel(facts.policy.rungs[0], ("owner",)))
    if not routes:  # he cannot be rung: everyone of the ladder is
        routes = _everyone(facts.policy, people)
        rung.case = with_event(rung.case, Event("no-route", desk.now, "owner"))
    for route in routes:
        await rung.ring(route, desk, within=facts.policy.act_within)
    rung.wake.append(
        Wake(
            ACTED_OVERDUE,
            case.reference,
            after=facts.policy.act_within,
            key=act_key(case.reference),
            urgency=urgency_of(case.resource),
        )
    )
    return rung.changes(case.version)
