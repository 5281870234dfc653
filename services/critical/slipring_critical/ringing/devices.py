"""What rang before it could be stopped: a device learns that somebody has answered, late messages are on record as sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from slipring.fhir.service import Changes, Desk, Resource, Save, Stored

from slipring_critical.cases.facts import CHANNEL, attempt_route, case_facts, code_of, first_reference
from slipring_critical.channels.media import media
from slipring_critical.lifecycle import ANSWERED
from slipring_critical.ringing.attempts import as_retraction, as_settled, is_settled, tells_a_finding
from slipring_critical.ringing.climbing import Ringing, ringing


def settle_devices(rung: Ringing, attempts: Sequence[Stored], answered_by: str, desk: Desk) -> None:
    """Tell each device that rang for the case (`attempts`: those that went out) but the one that was answered by.

    One that was told already is not told again, unless it has rung since.
    """
    rang: dict[str, Stored] = {}
    for attempt in sorted(attempts, key=lambda one: str(one.resource.get("sent", ""))):
        if tells_a_finding(attempt.resource) and _on_a_device(attempt.resource):
            rang[attempt_route(attempt.resource)] = attempt
        elif is_settled(attempt.resource):
            rang.pop(attempt_route(attempt.resource), None)
    within = case_facts(rung.case).policy.act_within
    for attempt in rang.values():
        if attempt.reference != answered_by:
            rung.send(as_settled(attempt.resource, id=desk.new_id()), until=desk.now + within)


async def went_out(reference: str, sent: Callable[[Stored], Save], desk: Desk) -> Changes:
    """A message that its provider took while it was being stopped was sent; whoever got it is told what he cannot know."""
    attempt = await desk.read(reference)
    if attempt is None or attempt.resource["status"] != "stopped":
        return Changes.none()
    case = await desk.read(first_reference(attempt.resource.get("partOf"), "Task"))
    told = Changes(save=[sent(attempt)])
    if case is None or not tells_a_finding(attempt.resource):
        return told
    rung, state = await ringing(case.resource, desk), case_facts(case.resource).state
    if state == "retracted":
        rung.send(as_retraction(attempt.resource, id=desk.new_id()))
    elif state in ANSWERED:
        settle_devices(rung, [attempt], "", desk)
    return told.plus(Changes(save=rung.save, wake=rung.wake))


def _on_a_device(attempt: Resource) -> bool:
    return media()[code_of(attempt["medium"][0], CHANNEL)].device
