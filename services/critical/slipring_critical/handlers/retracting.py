"""A report was withdrawn as entered in error: its open cases ring nobody any more, and whoever was told is told so."""

from __future__ import annotations

from slipring.fhir.service import Arrival, Changes, Desk, Resource, Save, Stored, Wake

from slipring_critical.cases.facts import (
    CHANNEL,
    Event,
    attempt_route,
    case_facts,
    code_of,
    first_reference,
    is_case,
    reference_of,
)
from slipring_critical.cases.resources import in_state, with_event
from slipring_critical.channels import CHANNELS
from slipring_critical.lifecycle import OPEN, move
from slipring_critical.ringing.attempts import as_retraction
from slipring_critical.ringing.climbing import SEND, Ringing, act_key, ringing, send_key, step_key

_WRONG = "entered-in-error"


async def report_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """Retract the open cases that rest on a withdrawn report and on no other."""
    changes = Changes.none()
    if arrival.deleted or arrival.resource.get("status") != _WRONG:
        return changes
    handovers = [one.reference for one in await desk.search(f"Task?based-on={arrival.reference}")]
    cases = await desk.search(f"Task?based-on={','.join(handovers)}") if handovers else []
    for case in cases:
        if is_case(case.resource) and case_facts(case.resource).state in OPEN:
            changes = changes.plus(await _retracted(case, arrival.reference, desk))
    return changes


async def _retracted(case: Stored, report: str, desk: Desk) -> Changes:
    if await _others(case, report, desk):  # another report of the same exam says the same: it goes on
        return Changes.none()
    facts = case_facts(case.resource)
    tree = in_state(case.resource, move(facts.state, "retract"))
    rung = await ringing(with_event(tree, Event("retracted", desk.now, report)), desk)
    rung.cancel += [step_key(facts.reference), act_key(facts.reference)]
    for attempt in list(rung.waiting):
        rung.stop(attempt, "retracted")
    await _tell(rung, desk)
    return rung.changes(case.version)


async def _others(case: Stored, report: str, desk: Desk) -> bool:
    """Whether a hand-over of the case rests on a report, or a reaction, that was not withdrawn."""
    for basis in case.resource.get("basedOn", []):
        handover = await desk.read(reference_of(basis))
        named = first_reference(handover.resource.get("basedOn"), "DiagnosticReport") if handover else ""
        held = await desk.read(named) if named and named != report else None
        if handover and not named:
            return True
        if held and held.resource.get("status") != _WRONG:
            return True
    return False


async def _tell(rung: Ringing, desk: Desk) -> None:
    """One more attempt by each route that carried the finding; who was told in words only is named on the case."""
    told: dict[tuple[str, str], Resource] = {}
    for attempt in await desk.search(f"Communication?part-of=Task/{rung.case['id']}&status=completed"):
        who: Resource = next(iter(attempt.resource.get("recipient", [])), {})
        told.setdefault((attempt_route(attempt.resource), reference_of(who)), attempt.resource)
    for notified in told.values():
        if code_of(notified["medium"][0], CHANNEL) not in CHANNELS:
            person = reference_of(next(iter(notified.get("recipient", [])), {}))
            rung.case = with_event(rung.case, Event("retraction-untold", desk.now, person))
            continue
        notice = as_retraction(notified, id=desk.new_id())
        reference = f"Communication/{notice['id']}"
        rung.save.append(Save(notice))
        rung.wake.append(Wake(SEND, reference, key=send_key(reference)))
