"""The errand that delivers one attempt; the only file that leads from a case to a channel.

It writes its own Communication and nothing else. What a failure means for the case is decided by a timer of its
own, so two attempts that end together never make each other send again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
from slipring.fhir.service import Changes, Desk, Errand, Resource, Stored, Wake, successor

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
from slipring_critical.cases.resources import instant
from slipring_critical.channels import CHANNELS
from slipring_critical.channels.channel import DeliveryFailed, Line, Message, Outside
from slipring_critical.channels.media import Kind, short_text, text_of
from slipring_critical.channels.providers import bounds
from slipring_critical.directory.kept_secrets import line_of
from slipring_critical.lifecycle import OPEN, RINGING
from slipring_critical.ringing.attempts import as_reason, is_offer, is_retraction, with_attempt_id
from slipring_critical.ringing.climbing import ATTEMPT_FAILED, SEND, failed_key, send_key, urgency_of
from slipring_critical.ringing.links import address as link_to
from slipring_critical.ringing.reply_codes import code_in, hint

_STILL_RINGS = RINGING | {"reopened"}
_OVERTAKEN = "taken-over"
# After these nothing has left the house: the next try is no repeat.
_NOT_SENT = frozenset({"provider-busy", "provider-down"})


async def send(errand: Errand, desk: Desk, client: httpx.AsyncClient) -> Changes:
    """Deliver an attempt while its case still rings.

    A failure that may pass is on record, wakes the case, and is tried again under the same attempt id as long as its
    step lasts. One that will not pass stops the attempt and wakes the case.
    """
    attempt = await desk.read(errand.subject)
    if attempt is None or attempt.resource["status"] != "preparation":
        return Changes.none()
    case = await desk.read(first_reference(attempt.resource.get("partOf"), "Task"))
    if case is None or not _still_to_be_told(attempt, case):
        return Changes(save=[successor(attempt, status="stopped", statusReason=as_reason("answered"))])
    try:
        await _deliver(errand, attempt, case, desk, client)
    except DeliveryFailed as failure:
        if failure.reason == _OVERTAKEN:
            raise
        if failure.permanent or _is_over(errand, desk):
            return _failed(errand, attempt, case, failure.reason)
        return _again(errand, attempt, case, failure)
    sent = successor(
        attempt,
        status="completed",
        statusReason=None,
        sent=instant(desk.now),
        extension=with_attempt_id(attempt.resource, _attempt_id(errand)),
    )
    return Changes(save=[sent])


def _still_to_be_told(attempt: Stored, case: Stored) -> bool:
    state = code_of(case.resource.get("businessStatus"), CASE_STATE)
    if is_offer(attempt.resource):
        return state in OPEN
    return state == "retracted" if is_retraction(attempt.resource) else state in _STILL_RINGS


async def _deliver(errand: Errand, attempt: Stored, case: Stored, desk: Desk, client: httpx.AsyncClient) -> None:
    medium = code_of(attempt.resource["medium"][0], CHANNEL)
    channel = CHANNELS.get(medium)
    line = await _line(attempt, desk)
    if channel is None or line is None:
        raise DeliveryFailed("no-route", permanent=True)
    message = _message(errand, attempt, case, medium, desk)
    settings = desk.settings
    outside = Outside(
        client,
        settings.endpoints,
        settings.channel_timeout_seconds,
        settings.data_dir,
        settings.push_contact,
        errand.held,
    )
    if not channel.leaves:
        await channel.deliver(message, line, outside)
        return
    urgent, first = urgency_of(case.resource) == 0, not errand.repeat and not errand.payload.get("tried")
    with settings.providers.using(f"{medium} {channel.provider(line.address)}", urgent=urgent, first=first):
        await channel.deliver(message, line, outside)


def words_of(attempt: Resource) -> tuple[str, str]:
    """What a message says, in Chinese and in English; one of a drill says so first."""
    kind, drill = _kind(attempt), is_drill(attempt)
    return text_of(kind, "zh", drill=drill), text_of(kind, "en", drill=drill)


def _kind(attempt: Resource) -> Kind:
    if is_retraction(attempt):
        return "retraction"
    return "offer" if is_offer(attempt) else "message"


def _message(errand: Errand, attempt: Stored, case: Stored, medium: str, desk: Desk) -> Message:
    text_zh, text_en = words_of(attempt.resource)
    link = link_to(desk.settings.public_url, errand.payload, case.reference)
    whom = next((reference_of(one) for one in attempt.resource.get("recipient", [])), "")
    drill, code, language = is_drill(attempt.resource), code_in(attempt.resource), desk.settings.message_language
    return Message(
        case=case.reference,
        communication=attempt.reference,
        level=case_facts(case.resource).policy.level,
        text_zh=text_zh,
        text_en=text_en,
        link=link,
        attempt_id=_attempt_id(errand),
        repeat=errand.repeat or bool(errand.payload.get("tried")),
        sent_at=desk.now,
        drill=drill,
        short=short_text(_kind(attempt.resource), medium, language, link, drill=drill, hint=hint(code, whom, language)),
        recipient=whom,
        reply=code,
    )


def _attempt_id(errand: Errand) -> str:
    """The id of the first try: a try again is armed anew, and carries it along."""
    return str(errand.payload.get("attempt") or errand.attempt_id)


async def _line(attempt: Stored, desk: Desk) -> Line | None:
    """Where the route leads now; None when it was withdrawn since the attempt was made."""
    route = attempt_route(attempt.resource)
    if not route:
        return Line(desk.settings.fallback_route) if desk.settings.fallback_route else None
    endpoint = await desk.read(route)
    if endpoint is None or endpoint.resource.get("status") != "active":
        return None
    try:
        return line_of(endpoint.resource, desk.vault)
    except ValueError as error:  # it was locked by another key, of another database say
        raise DeliveryFailed("locked", permanent=True) from error


def _is_over(errand: Errand, desk: Desk) -> bool:
    """Whether the time of the step that the attempt belongs to has passed; a retraction is tried until it is told."""
    until = str(errand.payload.get("until") or "")
    return until != "" and datetime.fromisoformat(until) <= desk.now


def _again(errand: Errand, attempt: Stored, case: Stored, failure: DeliveryFailed) -> Changes:
    """The failure on record, the case woken by the first one, and another try when it may help."""
    tries = int(errand.payload.get("tries", 0)) + 1
    wait = timedelta(seconds=bounds().wait_seconds(tries, failure.after_seconds))
    payload = {
        **errand.payload,
        "tries": tries,
        "attempt": _attempt_id(errand),
        "tried": bool(errand.payload.get("tried")) or failure.reason not in _NOT_SENT,
    }
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
        extension=with_attempt_id(attempt.resource, _attempt_id(errand)),
    )
    return Changes(save=[stopped], wake=[_woken(attempt, case)])


def _woken(attempt: Stored, case: Stored) -> Wake:
    urgency = urgency_of(case.resource)
    return Wake(ATTEMPT_FAILED, case.reference, key=failed_key(attempt.reference), urgency=urgency)
