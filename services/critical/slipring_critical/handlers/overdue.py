"""What ran out of time: a step stays unanswered, an attempt fails, nobody says what was done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slipring.fhir.service import Changes, Desk, Due, Resource, Stored, Wake

from slipring_critical.cases.facts import Event, case_facts
from slipring_critical.cases.resources import in_state, with_event
from slipring_critical.directory.routes import directory
from slipring_critical.ladders.ladder import ALL, Rung
from slipring_critical.lifecycle import AWAITING_ACTION, RINGING, move
from slipring_critical.ringing.climbing import ACTED_OVERDUE, ATTEMPT_FAILED, act_key, climb, failed_key, ringing
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
    """An attempt failed for good; when no other of its step is left, the next step rings at once.

    Of a step that must reach all of its targets one that is lost is enough; the others ring on.
    """
    case = await desk.read(due.subject)
    if case is None or case_facts(case.resource).state not in RINGING:
        return Changes.none()
    attempts = await desk.search(f"Communication?part-of={case.reference}")
    facts = case_facts(case.resource)
    last = facts.history[-1]
    left = [attempt for attempt in attempts if _may_still_answer(attempt.resource, last.at)]
    needs_all = facts.policy.rungs[last.number - 1].reach == ALL
    if left and not (needs_all and last.reached and _lost(due, attempts, left)):
        return Changes.none()
    failed = Event("step-failed", desk.now, outcome="partly" if left else "")
    rung = await ringing(with_event(case.resource, failed), desk)
    await climb(rung, desk)
    if not left:
        riders = await riding_along(facts, desk)
        rung.wake += [Wake(ATTEMPT_FAILED, rider, key=f"rode:{rider}") for rider in riders]
    return rung.changes(case.version)


def _lost(due: Due, attempts: Sequence[Stored], left: Sequence[Stored]) -> bool:
    """Whether nothing is left that may reach whom the failed attempt was for."""
    failed = next((one for one in attempts if due.key == failed_key(one.reference)), None)
    told = [one.resource.get("recipient") for one in left]
    return failed is not None and failed.resource.get("recipient") not in told


def _may_still_answer(attempt: Resource, since: datetime) -> bool:
    """Whether an attempt is on its way, or reached a route since the last step began."""
    sent = attempt.get("sent")
    return attempt["status"] == "preparation" or bool(sent and datetime.fromisoformat(sent) >= since)


async def acted_overdue(due: Due, desk: Desk) -> Changes:
    """Acknowledged and then silence: the case reopens and rings its owner, until something is done."""
    case = await desk.read(due.subject)
    if case is None or case_facts(case.resource).state not in AWAITING_ACTION:
        return Changes.none()
    facts = case_facts(case.resource)
    tree = in_state(case.resource, move(facts.state, "silence"))
    rung = await ringing(with_event(tree, Event("acted-overdue", desk.now, facts.owner)), desk)
    people = await directory(desk, facts.request, {"owner": facts.owner})
    everyone = Rung(("owner",), facts.policy.rungs[0].channels, facts.policy.act_within)
    routes, _ = people.routes(everyone)
    if not routes:  # he cannot be rung: everyone of the ladder is
        whole = tuple(dict.fromkeys(who for step in facts.policy.rungs for who in step.who))
        routes, _ = people.routes(Rung(whole, everyone.channels, everyone.answer_within))
        rung.case = with_event(rung.case, Event("no-route", desk.now, "owner"))
    for route in routes:
        rung.ring(route, desk)
    rung.wake.append(Wake(ACTED_OVERDUE, case.reference, after=facts.policy.act_within, key=act_key(case.reference)))
    return rung.changes(case.version)
