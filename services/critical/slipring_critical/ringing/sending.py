"""The errand that delivers one attempt; the only file that leads from a case to a channel.

It writes its own Communication and nothing else. What a failure means for the case is decided by a timer of its
own, so two attempts that end together never make each other send again.
"""

from __future__ import annotations

import httpx
from slipring.fhir.service import Changes, Desk, Errand, Resource, Stored, Wake, successor

from slipring_critical.cases.facts import CASE_STATE, CHANNEL, attempt_route, case_facts, code_of, first_reference
from slipring_critical.cases.marks import is_drill
from slipring_critical.cases.resources import instant
from slipring_critical.channels import CHANNELS
from slipring_critical.channels.channel import DeliveryFailed, Message
from slipring_critical.channels.media import drill_text, message_text, offer_text, retraction_text
from slipring_critical.lifecycle import OPEN, RINGING
from slipring_critical.ringing.attempts import as_reason, is_offer, is_retraction, with_attempt_id
from slipring_critical.ringing.climbing import ATTEMPT_FAILED, failed_key
from slipring_critical.ringing.links import address as link_to

_STILL_RINGS = RINGING | {"reopened"}


async def send(errand: Errand, desk: Desk, client: httpx.AsyncClient) -> Changes:
    """Deliver an attempt while its case still rings.

    A failure that may pass is raised: the kernel tries again under the same attempt id. One that will not pass stops
    the attempt and wakes the case.
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
        if not failure.permanent:
            raise
        return _failed(errand, attempt, case, failure.reason)
    sent = successor(
        attempt,
        status="completed",
        sent=instant(desk.now),
        extension=with_attempt_id(attempt.resource, errand.attempt_id),
    )
    return Changes(save=[sent])


def _still_to_be_told(attempt: Stored, case: Stored) -> bool:
    state = code_of(case.resource.get("businessStatus"), CASE_STATE)
    if is_offer(attempt.resource):
        return state in OPEN
    return state == "retracted" if is_retraction(attempt.resource) else state in _STILL_RINGS


def words_of(attempt: Resource) -> tuple[str, str]:
    """What a message says, in Chinese and in English; one of a drill says so first."""
    text = message_text
    if is_retraction(attempt):
        text = retraction_text
    elif is_offer(attempt):
        text = offer_text
    drill = is_drill(attempt)
    zh, en = ((drill_text(language) if drill else "") + text(language) for language in ("zh", "en"))
    return zh, en


async def _deliver(errand: Errand, attempt: Stored, case: Stored, desk: Desk, client: httpx.AsyncClient) -> None:
    channel = CHANNELS.get(code_of(attempt.resource["medium"][0], CHANNEL))
    address = await _address(attempt, desk)
    if channel is None or not address:
        raise DeliveryFailed("no-route", permanent=True)
    text_zh, text_en = words_of(attempt.resource)
    message = Message(
        case=case.reference,
        communication=attempt.reference,
        level=case_facts(case.resource).policy.level,
        text_zh=text_zh,
        text_en=text_en,
        link=link_to(desk.settings.public_url, errand.payload, case.reference),
        attempt_id=errand.attempt_id,
        repeat=errand.repeat,
        sent_at=desk.now,
        drill=is_drill(attempt.resource),
    )
    await channel(message, address, client, timeout_seconds=desk.settings.channel_timeout_seconds)


async def _address(attempt: Stored, desk: Desk) -> str:
    """Where the route leads now; '' when it was withdrawn since the attempt was made."""
    route = attempt_route(attempt.resource)
    if not route:
        return str(desk.settings.fallback_route)
    endpoint = await desk.read(route)
    if endpoint is None or endpoint.resource.get("status") != "active":
        return ""
    return str(endpoint.resource["address"])


def _failed(errand: Errand, attempt: Stored, case: Stored, reason: str) -> Changes:
    stopped = successor(
        attempt,
        status="stopped",
        statusReason=as_reason(reason),
        extension=with_attempt_id(attempt.resource, errand.attempt_id),
    )
    wake = Wake(ATTEMPT_FAILED, case.reference, key=failed_key(attempt.reference))
    return Changes(save=[stopped], wake=[wake])
