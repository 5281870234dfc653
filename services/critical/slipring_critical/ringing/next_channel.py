"""A route that does not work: the next channel of the same target rings at once, not when the step's time is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slipring.fhir.service import Desk, Stored

from slipring_critical.cases.facts import Event, attempt_route, case_facts
from slipring_critical.cases.resources import with_event
from slipring_critical.directory.routes import directory
from slipring_critical.ringing.attempts import is_failing
from slipring_critical.ringing.climbing import Ringing, by_any_channel
from slipring_critical.ringing.one_call import calls_of_the_exam


@dataclass(frozen=True, slots=True)
class Found:
    """How the targets of a step stand once every channel was tried."""

    left: tuple[str, ...]  # rung by something that works, or that was not tried before
    lost: tuple[str, ...]


async def by_other_channels(rung: Ringing, attempts: Sequence[Stored], desk: Desk) -> Found:
    """Ring each target of the present step that no route reaches by those of its routes that were not tried yet."""
    facts = case_facts(rung.case)
    last = facts.history[-1]
    step = facts.policy.rungs[last.number - 1]
    people = await directory(desk, facts.request, {})
    calls = await calls_of_the_exam(facts, desk)
    since = last.at - step.answer_within
    alive = {attempt_route(one.resource) for one in attempts if works(one, last.at)}
    alive |= {call.route for call in calls if call.works and call.at > since}
    tried = {attempt_route(one.resource) for one in attempts if one.updated_at >= last.at}
    tried |= {call.route for call in calls if call.at > since}
    left, lost = [], []
    for target in step.who:
        routes, _ = people.routes(by_any_channel(step, (target,)))
        fresh = [route for route in routes if route.endpoint not in tried]
        if alive & {route.endpoint for route in routes}:
            left.append(target)
        elif fresh:
            left.append(target)
            for route in fresh:
                await rung.ring(route, desk, within=step.answer_within)
                tried.add(route.endpoint)
                alive.add(route.endpoint)
            rung.case = with_event(rung.case, Event("next-channel", desk.now, target, last.round, last.number))
        else:
            lost.append(target)
    return Found(tuple(left), tuple(lost))


def works(attempt: Stored, since: datetime) -> bool:
    """Whether an attempt is on its way and has not failed yet, or reached its route since then."""
    sent = attempt.resource.get("sent")
    if attempt.resource["status"] == "preparation":
        return not is_failing(attempt.resource)
    return bool(sent and datetime.fromisoformat(sent) >= since)
