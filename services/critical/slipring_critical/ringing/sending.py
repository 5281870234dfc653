"""The errand that delivers one attempt; the only file that leads from a case to a channel.

It writes its own Communication and nothing else. What a failure means for the case is decided by a timer of its
own, so two attempts that end together never make each other send again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import httpx
from slipring.fhir.service import Ahead, Changes, Desk, Errand, Resource, Stored, Wake, successor

from slipring_critical.cases.facts import (
    CASE_STATE,
    CHANNEL,
    attempt_route,
    case_facts,
    code_of,
    first_reference,
    reference_of,
)
from slipring_critical.cases.marks import is_drill
from slipring_critical.channels.channel import DeliveryFailed, Line, Message
from slipring_critical.channels.media import Kind, short_text, text_of
from slipring_critical.channels.providers import bounds
from slipring_critical.directory.people import name_said
from slipring_critical.lifecycle import ANSWERED, OPEN, STILL_RINGS
from slipring_critical.ringing.attempts import (
    as_reason,
    as_sent,
    is_offer,
    is_retraction,
    is_settled,
    with_attempt_id,
)
from slipring_critical.ringing.carrying import OVERTAKEN, again, attempt_id, carry, is_repeat, line_to
from slipring_critical.ringing.climbing import ATTEMPT_FAILED, SEND, failed_key, send_key, urgency_of
from slipring_critical.ringing.devices import went_out
from slipring_critical.ringing.links import address as link_to
from slipring_critical.ringing.reply_codes import code_in, hint


async def send(errand: Errand, desk: Desk, client: httpx.AsyncClient) -> Changes:
    """Deliver an attempt while its case still rings.

    A failure that may pass is on record, wakes the case, and is tried again under the same attempt id as long as its
    step lasts. One that will not pass stops the attempt and wakes the case.
    """
    attempt = await desk.read(errand.subject)
    if attempt is None or attempt.resource["status"] != "preparation":
        return Changes.none()
    of_case = first_reference(attempt.resource.get("partOf"), "Task")
    await desk.foresee(Ahead([of_case, attempt_route(attempt.resource)]))
    case = await desk.read(of_case)
    if case is None or not _still_to_be_told(attempt, case):
        return Changes(save=[successor(attempt, status="stopped", statusReason=as_reason("answered"))])
    if not await errand.stands():  # somebody has answered since the case was read: not one message more
        return Changes.none()
    try:
        await _deliver(errand, attempt, case, desk, client)
    except DeliveryFailed as failure:
        if failure.reason == OVERTAKEN:
            raise
        if failure.permanent or _is_over(errand, desk):
            return _failed(errand, attempt, case, failure.reason)
        return _again(errand, attempt, case, failure)
    sent = partial(as_sent, attempt_id=attempt_id(errand), at=desk.now)
    return Changes(save=[sent(attempt)], if_disarmed=partial(went_out, attempt.reference, sent))


def _still_to_be_told(attempt: Stored, case: Stored) -> bool:
    state = code_of(case.resource.get("businessStatus"), CASE_STATE)
    if is_offer(attempt.resource):
        return state in OPEN
    if is_settled(attempt.resource):
        return state in ANSWERED
    return state == "retracted" if is_retraction(attempt.resource) else state in STILL_RINGS


async def _deliver(errand: Errand, attempt: Stored, case: Stored, desk: Desk, client: httpx.AsyncClient) -> None:
    medium = code_of(attempt.resource["medium"][0], CHANNEL)
    line, message = await _line(attempt, desk), await _message(errand, attempt, case, medium, desk)
    await carry(message, medium, line, errand, desk, client, urgent=urgency_of(case.resource) == 0)


def _kind(attempt: Resource) -> Kind:
    if is_retraction(attempt):
        return "retraction"
    if is_settled(attempt):
        return "answered"
    return "offer" if is_offer(attempt) else "message"


async def _answered_by(case: Stored, kind: Kind, desk: Desk) -> str:
    """The name of whoever has the case, where that is told."""
    return name_said(await desk.read(case_facts(case.resource).owner)) if kind == "answered" else ""


async def _message(errand: Errand, attempt: Stored, case: Stored, medium: str, desk: Desk) -> Message:
    kind, drill = _kind(attempt.resource), is_drill(attempt.resource)
    who = await _answered_by(case, kind, desk)
    link = link_to(desk.settings.public_url, errand.payload, case.reference)
    whom = next((reference_of(one) for one in attempt.resource.get("recipient", [])), "")
    code, language = code_in(attempt.resource), desk.settings.message_language
    return Message(
        case=case.reference,
        communication=attempt.reference,
        level=case_facts(case.resource).policy.level,
        text_zh=text_of(kind, "zh", drill=drill, who=who),
        text_en=text_of(kind, "en", drill=drill, who=who),
        link=link,
        attempt_id=attempt_id(errand),
        repeat=is_repeat(errand),
        sent_at=desk.now,
        drill=drill,
        short=short_text(kind, medium, language, link, drill=drill, hint=hint(code, whom, language), who=who),
        recipient=whom,
        reply=code,
        kind=kind,
    )


async def _line(attempt: Stored, desk: Desk) -> Line | None:
    """Where the route leads now; None when it was withdrawn since the attempt was made."""
    route = attempt_route(attempt.resource)
    if not route:
        return Line(desk.settings.fallback_route) if desk.settings.fallback_route else None
    return await line_to(route, desk)


def _is_over(errand: Errand, desk: Desk) -> bool:
    """Whether the time of the step that the attempt belongs to has passed; a retraction is tried until it is told."""
    until = str(errand.payload.get("until") or "")
    return until != "" and datetime.fromisoformat(until) <= desk.now


def _again(errand: Errand, attempt: Stored, case: Stored, failure: DeliveryFailed) -> Changes:
    """The failure on record, the case woken by the first one, and another try when it may help."""
    payload = again(errand, failure)
    tries = int(errand.payload.get("tries", 0)) + 1
    wait = timedelta(seconds=bounds().wait_seconds(tries, failure.after_seconds))
    wake = [Wake(SEND, attempt.reference, wait, send_key(attempt.reference), payload, urgency_of(case.resource))]
    if tries == 1:
        wake.append(_woken(attempt, case))
    reason = as_reason(failure.reason)
    known = attempt.resource.get("statusReason") == reason
    return Changes(save=[] if known else [successor(attempt, statusReason=reason)], wake=wake)


def _failed(errand: Errand, attempt: Stored, case: Stored, reason: str) -> Changes:
    stopped = successor(
        attempt,
        status="stopped",
        statusReason=as_reason(reason),
        extension=with_attempt_id(attempt.resource, attempt_id(errand)),
    )
    return Changes(save=[stopped], wake=[_woken(attempt, case)])


def _woken(attempt: Stored, case: Stored) -> Wake:
    urgency = urgency_of(case.resource)
    return Wake(ATTEMPT_FAILED, case.reference, key=failed_key(attempt.reference), urgency=urgency)
