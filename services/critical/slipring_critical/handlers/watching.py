"""An open case was found without a deadline: it gets one, rings what is due, and says so."""

from __future__ import annotations

from slipring.fhir.service import Changes, Desk, Due, Wake

from slipring_critical.cases.facts import Event, case_facts
from slipring_critical.cases.resources import with_event
from slipring_critical.lifecycle import OPEN, RINGING
from slipring_critical.ringing.climbing import ACTED_OVERDUE, act_key, climb, ringing, urgency_of


async def deadline_missing(due: Due, desk: Desk) -> Changes:
    """Whatever took the deadline away, the case goes on from where it stands: no step is left out, none comes twice."""
    case = await desk.read(due.subject)
    if case is None or case_facts(case.resource).state not in OPEN:
        return Changes.none()
    facts = case_facts(case.resource)
    rung = await ringing(with_event(case.resource, Event("deadline-missing", desk.now)), desk)
    if facts.state in RINGING or facts.state == "detected":
        await climb(rung, desk)
    else:
        key, urgency = act_key(case.reference), urgency_of(case.resource)
        since = max((event.at for event in facts.events), default=desk.now)
        left = max(facts.policy.act_within - (desk.now - since), facts.policy.act_within * 0)
        rung.wake.append(Wake(ACTED_OVERDUE, case.reference, after=left, key=key, urgency=urgency))
    return rung.changes(case.version)
