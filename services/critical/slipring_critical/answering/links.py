"""Opening the link of a message: once, by a person who has identified himself; what he is told then."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError, Issue, conflict, forbidden, not_found
from slipring.fhir.service import Call, Changes, Desk, Resource, Stored, successor

from slipring_critical.answering.answers import RECEIVE
from slipring_critical.cases.facts import Event, case_facts, first_reference
from slipring_critical.cases.resources import in_state, with_event
from slipring_critical.directory.people import lacking
from slipring_critical.lifecycle import RINGING, move
from slipring_critical.ringing.climbing import climb, ringing
from slipring_critical.ringing.links import LINK, digest, is_used, used


async def opened(call: Call, desk: Desk) -> Changes:
    """Use a link up: the person named by the token is shown the case. It rings on until he has read the finding back.

    Somebody who may not receive critical results is kept on record and shown nothing.
    """
    attempt, case = await _behind(call, desk)
    who = desk.caller.practitioner
    if not who:
        raise forbidden(
            "A link is opened by a person.", "链接只能由本人打开。", at=call.at("link"), detail="critical.person-needed"
        )
    reasons = await lacking(desk, RECEIVE, who)
    spent = successor(attempt, **used(attempt.resource, desk.now))
    if reasons:
        kept = successor(case, **with_event(case.resource, Event("reached-not-authorised", desk.now, who)))
        issues = [
            Issue("forbidden", zh=reason.zh, en=reason.en, at="Task.owner", detail=f"critical.{reason.code}")
            for reason in reasons
        ]
        return Changes(save=[spent, kept], refuse=FhirError(403, issues))
    shown = showing(case, who, desk)
    return Changes(save=[spent, successor(case, **shown)], answer=shown)


def showing(case: Stored, who: str, desk: Desk) -> Resource:
    """The case once somebody who may receive it has identified himself and is told; it rings on."""
    state, tree = case_facts(case.resource).state, case.resource
    if state in RINGING:
        tree = in_state(tree, move(state, "deliver"))
    return with_event(tree, Event("shown", desk.now, who))


async def asked(call: Call, desk: Desk) -> Changes:
    """Nothing but that the link stands: 404 when it is none, 409 when it is used up."""
    await _behind(call, desk)
    return Changes(answer={"resourceType": "Parameters"})


async def ended(call: Call, desk: Desk) -> Changes:
    """End a link after too many wrong PINs: the next step rings at once, each of its messages under a link of its own."""
    attempt, case = await _behind(call, desk)
    return (await ending(attempt, case, desk)).plus(Changes(answer={"resourceType": "Parameters"}))


async def ending(attempt: Stored, case: Stored, desk: Desk) -> Changes:
    """What it takes to end the link of a message, and with it the code that it may be answered by."""
    facts = case_facts(case.resource)
    rung = await ringing(with_event(case.resource, Event("link-ended", desk.now)), desk)
    rung.save.append(successor(attempt, **used(attempt.resource, desk.now)))
    if facts.state in RINGING:
        await climb(rung, desk, at_once=True)
    return rung.changes(case.version)


async def _behind(call: Call, desk: Desk) -> tuple[Stored, Stored]:
    secret = str(call.value("link") or "")
    found = await desk.search(f"Communication?identifier={LINK}%7C{digest(secret)}") if secret else []
    case = await desk.read(first_reference(found[0].resource.get("partOf"), "Task")) if found else None
    if case is None:
        raise not_found("Communication")
    if is_used(found[0].resource):
        raise conflict(
            "This link was used already. A newer message carries a new one.",
            "该链接已被使用；请使用最新消息中的链接。",
            at=call.at("link"),
            detail="critical.link-used",
        )
    return found[0], case
