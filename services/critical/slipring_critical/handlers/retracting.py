"""A report was withdrawn, or a case is taken back: what it flagged rings nobody any more, and whoever was told is told so."""

from __future__ import annotations

from slipring.fhir.outcome import forbidden, invalid
from slipring.fhir.service import Arrival, Call, Changes, Desk, Resource, Stored

from slipring_critical.answering.answers import answered, case_of
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
from slipring_critical.cases.resources import in_state, with_event, with_note
from slipring_critical.channels import CHANNELS
from slipring_critical.lifecycle import OPEN, TOLD, move
from slipring_critical.ringing.attempts import as_retraction, tells_a_finding
from slipring_critical.ringing.climbing import Ringing, act_key, ringing, step_key

_WRONG = "entered-in-error"


async def report_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """Retract the open cases that rest on a withdrawn report and on no other."""
    changes = Changes.none()
    if arrival.deleted or arrival.resource.get("status") != _WRONG:
        return changes
    handovers = [one.reference for one in await desk.search(f"Task?based-on={arrival.reference}")]
    cases = await desk.search(f"Task?based-on={','.join(handovers)}") if handovers else []
    for case in cases:
        if not is_case(case.resource) or case_facts(case.resource).state not in OPEN | TOLD:
            continue
        # Another report of the same exam that says the same keeps the case going.
        if not await _others(case, arrival.reference, desk):
            rung = await _retracted(case.resource, arrival.reference, desk)
            changes = changes.plus(rung.changes(case.version))
    return changes


async def taken_back(call: Call, desk: Desk) -> Changes:
    """Whoever opened a case, or owns it, takes it back with a reason: it rings nobody, and everyone told is told so."""
    case = case_of(call)
    facts, who = case_facts(case.resource), desk.caller.practitioner or ""
    if facts.state == "retracted":
        return Changes(answer=case.resource)
    if who and who not in (facts.owner, reference_of(case.resource.get("requester"))):
        raise forbidden(
            "Only its author or its owner takes a case back.",
            "仅标记者或当前负责人可以撤回该危急值。",
            at="Task.requester",
            detail="critical.not-the-author",
        )
    reason = str(call.value("reason") or "").strip()
    if not reason:
        raise invalid(
            "Say why the case is taken back.",
            "请说明撤回原因。",
            at=call.at("reason"),
            detail="critical.reason-missing",
        )
    tree = with_note(case.resource, reason, who, now=desk.now)
    return answered(await _retracted(tree, who, desk), case, desk)


async def _retracted(case: Resource, by: str, desk: Desk) -> Ringing:
    facts = case_facts(case)
    tree = in_state(case, move(facts.state, "retract"))
    rung = await ringing(with_event(tree, Event("retracted", desk.now, by)), desk)
    rung.cancel += [step_key(facts.reference), act_key(facts.reference)]
    for attempt in list(rung.waiting):
        rung.stop(attempt, "retracted")
    await _tell(rung, desk)
    return rung


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
        if not tells_a_finding(attempt.resource):
            continue
        who: Resource = next(iter(attempt.resource.get("recipient", [])), {})
        told.setdefault((attempt_route(attempt.resource), reference_of(who)), attempt.resource)
    for notified in told.values():
        if code_of(notified["medium"][0], CHANNEL) not in CHANNELS:
            person = reference_of(next(iter(notified.get("recipient", [])), {}))
            rung.case = with_event(rung.case, Event("retraction-untold", desk.now, person))
            continue
        notice = as_retraction(notified, id=desk.new_id())
        rung.send(notice)
