"""What a person says to a case: that he has it, what was done, and what happened so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from slipring.fhir.outcome import FhirError, Issue, conflict, forbidden, invalid, unprocessable
from slipring.fhir.service import Ahead, Call, Changes, Desk, Resource, Save, Stored, Wake, successor
from slipring.rules.finding import Finding
from slipring.rules.rulebook import check
from slipring.staff.permission import Reason

from slipring_critical.answering.proving import numbers_of
from slipring_critical.cases.dialogue import is_of_a_conversation
from slipring_critical.cases.facts import Event, case_facts, imaging_number, is_case, reference_of
from slipring_critical.cases.record import sealed_record
from slipring_critical.cases.resources import as_timeline, in_state, instant, with_act, with_event
from slipring_critical.channels.media import media
from slipring_critical.directory.people import lacking
from slipring_critical.lifecycle import ANSWERED, RINGING, move
from slipring_critical.ringing.attempts import as_answer, is_settled
from slipring_critical.ringing.climbing import ACTED_OVERDUE, Ringing, act_key, climb, ringing, step_key, urgency_of
from slipring_critical.ringing.devices import settle_devices
from slipring_critical.rules import NO_LIMITS, READ_BACK_RULES
from slipring_critical.rules.read_back import ReadBackFacts

_RECEIVER = "Parameters.parameter.where(name='receiver')"
RECEIVE = "receive-critical"  # of the staff register
_SPOKEN = "phone"  # the caller writes down what somebody else read back


async def acknowledged(call: Call, desk: Desk) -> Changes:
    """A receiver reads the finding back: the case is his, and everything else stops ringing.

    Whatever does not hold is put on the case's record and refused, and the ringing goes on. A second call on a case
    that is answered already answers with the same state.
    """
    case = case_of(call)
    facts = case_facts(case.resource)
    if facts.state in ANSWERED:
        return Changes(answer=case.resource)
    move(facts.state, "acknowledge")
    medium = str(call.value("medium"))
    if medium not in media():
        raise unprocessable(
            f"Unknown medium; known: {', '.join(media())}.",
            f"未知的方式；可用：{'、'.join(media())}。",
            at=call.at("medium"),
            detail="critical.unknown-medium",
        )
    receiver = await _receiver(call, desk, medium)
    told = f"Communication?part-of={case.reference}&status=completed"
    await desk.foresee(Ahead([receiver, facts.request], [told]))
    reasons = await lacking(desk, RECEIVE, receiver)
    if reasons:
        return _not_authorised(case, receiver, reasons, desk)
    order = await desk.read(facts.request) if facts.request else None
    said = ReadBackFacts(
        imaging_number(order.resource) if order else "",
        str(call.value("patientCheck")),
        facts.finding,
        str(call.value("finding")),
        await numbers_of(facts, desk),
    )
    if not said.imaging_number and not said.other_numbers:
        return _cannot_compare(case, receiver, desk)
    wrong = check(said, READ_BACK_RULES, NO_LIMITS.on(desk.now.date()), desk.now)
    if wrong:
        return await _mismatched(case, receiver, wrong, desk)
    return await _confirmed(call, case, receiver, medium, desk)


async def acted(call: Call, desk: Desk) -> Changes:
    """What was done for the patient is on record, and the case closes."""
    case = case_of(call)
    facts = case_facts(case.resource)
    if facts.state == "closed":
        return Changes(answer=case.resource)
    state = move(move(facts.state, "act"), "close")
    action = call.value("action")
    if not (action.get("text") or action.get("coding")):
        raise invalid(
            "The action says nothing.", "未说明处理措施。", at=call.at("action"), detail="critical.action-empty"
        )
    who = desk.caller.practitioner or facts.receiver
    tree = with_event(
        with_act(case.resource, action, call.value("note"), who, now=desk.now), Event("acted", desk.now, who)
    )
    if call.value("unneeded") is True:
        tree = with_event(tree, Event("judged-unneeded", desk.now, who))
    rung = await ringing(in_state(with_event(tree, Event("closed", desk.now, who)), state), desk)
    _silence(rung, act_key(facts.reference))
    rung.save.append(sealed_record(rung.case, desk))
    return answered(rung, case, desk)


async def timeline(call: Call, desk: Desk) -> Changes:
    """Everything that happened to a case, in order."""
    case = case_of(call)
    attempts = await messages_of(case, desk)
    stored = [{**a.resource, "meta": {"lastUpdated": instant(a.updated_at)}} for a in attempts]
    return Changes(answer=as_timeline(case.resource, stored))


async def messages_of(case: Stored, desk: Desk) -> list[Stored]:
    """Every attempt of a case, and every message of the conversations in which it was answered."""
    attempts, others = await desk.searches(
        [f"Communication?part-of={case.reference}", f"Communication?based-on={case.reference}"]
    )
    return [*attempts, *(one for one in others if is_of_a_conversation(one.resource))]


def case_of(call: Call) -> Stored:
    """The case that an operation is called on; 422 when it is another kind of Task."""
    if call.target is None or not is_case(call.target.resource):
        raise unprocessable(
            "This Task is not a critical case.",
            "该 Task 不是危急值处理任务。",
            at="Task.code",
            code="not-supported",
            detail="critical.not-a-case",
        )
    return call.target


async def _receiver(call: Call, desk: Desk, medium: str) -> str:
    """Who answers: the person signed in, or on the phone the one the caller names. Always a Practitioner."""
    named = reference_of(call.value("receiver"))
    if named.startswith("PractitionerRole/"):
        role = await desk.read(named)
        named = reference_of(role.resource.get("practitioner")) if role else named
    signed_in = desk.caller.practitioner or ""
    if named and signed_in and named != signed_in and medium != _SPOKEN:
        raise forbidden(
            "The receiver is not the person signed in; only a telephone read-back is written down for somebody else.",
            "接收人与登录人不一致；仅电话复述可由他人代为记录。",
            at=call.at("receiver"),
            detail="critical.receiver-differs",
        )
    receiver = named or signed_in
    if not receiver:
        raise invalid(
            "Nobody is named as receiver.",
            "未指明接收人。",
            at=call.at("receiver"),
            detail="critical.receiver-missing",
        )
    return receiver


def _not_authorised(case: Stored, receiver: str, reasons: list[Reason], desk: Desk) -> Changes:
    kept = successor(case, **with_event(case.resource, Event("reached-not-authorised", desk.now, receiver)))
    issues = [
        Issue("forbidden", zh=reason.zh, en=reason.en, at=_RECEIVER, detail=f"critical.{reason.code}")
        for reason in reasons
    ]
    return Changes(save=[kept], refuse=FhirError(403, issues))


def _cannot_compare(case: Stored, receiver: str, desk: Desk) -> Changes:
    kept = successor(case, **with_event(case.resource, Event("read-back-not-possible", desk.now, receiver)))
    refusal = conflict(
        "The imaging number of this exam is not known here yet, so nothing can be read back; please telephone.",
        "尚未获得该检查的影像号，无法核对复述，请电话联系。",
        at="Task.reasonReference",
        detail="critical.imaging-number-unknown",
    )
    return Changes(save=[kept], refuse=refusal)


async def _mismatched(case: Stored, receiver: str, wrong: list[Finding], desk: Desk) -> Changes:
    """A wrong read-back keeps the case open; after some of them the next step rings at once."""
    tree = with_event(case.resource, Event("read-back-mismatch", desk.now, receiver))
    rung = await ringing(tree, desk)
    facts = case_facts(tree)
    if facts.mismatches >= desk.settings.mismatches_until_next_step and facts.state in RINGING:
        await climb(rung, desk, at_once=True)
    issues = [Issue("business-rule", zh=f.zh, en=f.en, at=f.at, detail=f.rule) for f in wrong]
    return rung.changes(case.version).plus(Changes(refuse=FhirError(422, issues)))


async def _confirmed(call: Call, case: Stored, receiver: str, medium: str, desk: Desk) -> Changes:
    facts = case_facts(case.resource)
    # From here on the case is his: who is rung when nothing is done, and whom the report names as told.
    confirmed = move(move(facts.state, "acknowledge"), "read-back")
    tree = in_state({**case.resource, "owner": {"reference": receiver}}, confirmed)
    rung = await ringing(with_event(tree, Event("read-back-confirmed", desk.now, receiver, outcome=medium)), desk)
    _silence(rung, step_key(facts.reference))
    told = await desk.search(f"Communication?part-of={case.reference}&status=completed")
    receipt = _receipt(case, receiver, medium, told, desk)
    settle_devices(rung, told, f"Communication/{receipt.resource['id']}", desk)
    if medium == _SPOKEN:
        receipt = replace(receipt, resource={**receipt.resource, **_spoken(call)})
    rung.save.append(receipt)
    within, key = facts.policy.act_within, act_key(facts.reference)
    rung.wake.append(Wake(ACTED_OVERDUE, facts.reference, within, key, urgency=urgency_of(case.resource)))
    return answered(rung, case, desk)


def _receipt(case: Stored, receiver: str, medium: str, attempts: Sequence[Stored], desk: Desk) -> Save:
    """The receipt stands on the attempt that reached this person; a call or talk is an attempt of its own."""
    own = [
        attempt
        for attempt in attempts
        if "received" not in attempt.resource
        and not is_settled(attempt.resource)
        and receiver in [reference_of(recipient) for recipient in attempt.resource.get("recipient", [])]
    ]
    if own and medium != _SPOKEN:
        latest = max(own, key=lambda attempt: str(attempt.resource["sent"]))
        return successor(latest, received=instant(desk.now))
    sender = desk.caller.practitioner or ""
    return Save(as_answer(desk.new_id(), case.resource, receiver, medium, sender, now=desk.now))


def _spoken(call: Call) -> Resource:
    """What a call is written down with: what was read back, and the number that was called."""
    said: Resource = {"payload": [{"contentString": f"{call.value('patientCheck')} {call.value('finding')}"}]}
    number = str(call.value("number") or "").strip()
    return {**said, "note": [{"text": number}]} if number else said


def _silence(rung: Ringing, deadline: str) -> None:
    """Stop every other ringing of the case; who is to be told that it is answered still is."""
    rung.cancel.append(deadline)
    for attempt in [one for one in rung.waiting if not is_settled(one.resource)]:
        rung.stop(attempt, "answered")


def answered(rung: Ringing, case: Stored, desk: Desk) -> Changes:
    """What goes into the commit, with the case as it stands after it as the answer."""
    meta = {"versionId": str(case.version + 1), "lastUpdated": instant(desk.now)}
    shown: Resource = {**rung.case, "meta": {**rung.case.get("meta", {}), **meta}}
    return rung.changes(case.version).plus(Changes(answer=shown))
