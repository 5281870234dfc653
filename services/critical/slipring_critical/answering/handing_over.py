"""A case changes hands: its owner names somebody, who must accept; until then it is the owner's."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError, Issue, conflict, forbidden, invalid
from slipring.fhir.service import Call, Changes, Desk, Stored

from slipring_critical.answering.answers import RECEIVE, answered, case_of
from slipring_critical.cases.facts import CaseFacts, Event, case_facts, reference_of
from slipring_critical.cases.resources import with_event, with_note
from slipring_critical.directory.people import lacking
from slipring_critical.directory.routes import directory
from slipring_critical.ladders.ladder import Rung
from slipring_critical.lifecycle import OPEN
from slipring_critical.ringing.attempts import as_offer
from slipring_critical.ringing.climbing import ringing

OFFERED, ACCEPTED, DECLINED = "hand-over-offered", "hand-over-accepted", "hand-over-declined"


async def offered(call: Call, desk: Desk) -> Changes:
    """The owner offers the case to a named person, who is told by every route of his."""
    case = case_of(call)
    facts, to = case_facts(case.resource), reference_of(call.value("to"))
    _open(facts)
    if desk.caller.practitioner and desk.caller.practitioner != facts.owner:
        raise forbidden(
            "Only its owner hands a case over.",
            "仅当前负责人可以移交该危急值。",
            at="Task.owner",
            detail="critical.not-the-owner",
        )
    if to == facts.owner:
        raise conflict(
            "The case is his already.", "该危急值已由此人负责。", at=call.at("to"), detail="critical.owner-already"
        )
    reasons = await lacking(desk, RECEIVE, to)
    if reasons:
        raise FhirError(
            422,
            [Issue("business-rule", zh=r.zh, en=r.en, at=call.at("to"), detail=f"critical.{r.code}") for r in reasons],
        )
    tree = with_note(case.resource, call.value("note"), facts.owner, now=desk.now)
    rung = await ringing(with_event(tree, Event(OFFERED, desk.now, to)), desk)
    people = await directory(desk, facts.request, {"named": to})
    routes, missing = people.routes(Rung(("named",), facts.policy.rungs[0].channels, facts.policy.act_within))
    for route in routes:
        rung.send(as_offer(desk.new_id(), rung.case, route))
    if missing:  # he must be told by mouth: the record says that no route leads to him
        rung.case = with_event(rung.case, Event("no-route", desk.now, to))
    return answered(rung, case, desk)


async def accepted(call: Call, desk: Desk) -> Changes:
    """The named person takes the case on: from now on he is rung when nothing is done."""
    case, facts, who = _offer(call, desk)
    tree = with_event({**case.resource, "owner": {"reference": who}}, Event(ACCEPTED, desk.now, who))
    rung = await ringing(tree, desk)
    _open(facts)
    return answered(rung, case, desk)


async def declined(call: Call, desk: Desk) -> Changes:
    """The named person does not take it: it stays its owner's."""
    case, _, who = _offer(call, desk)
    rung = await ringing(with_event(case.resource, Event(DECLINED, desk.now, who)), desk)
    return answered(rung, case, desk)


def _offer(call: Call, desk: Desk) -> tuple[Stored, CaseFacts, str]:
    case = case_of(call)
    facts = case_facts(case.resource)
    who = desk.caller.practitioner or reference_of(call.value("receiver"))
    if not who:
        raise invalid(
            "Nobody is named as receiver.", "未指明接收人。", at=call.at("receiver"), detail="critical.receiver-missing"
        )
    if facts.offered_to != who:
        raise conflict(
            "This case is not offered to this person.",
            "该危急值没有移交给此人的待接受请求。",
            at="Task.owner",
            detail="critical.not-offered",
        )
    return case, facts, who


def _open(facts: CaseFacts) -> None:
    if facts.state not in OPEN:
        raise conflict(
            "A case that is over is nobody's to hand over.",
            "该危急值已结束，不能移交。",
            at="Task.businessStatus",
            detail="critical.case-over",
        )
