"""A contact route proven and tested: the code goes out, what nobody answers is told as a Task, and the next test is armed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx
from slipring.fhir.service import CANONICAL, Changes, Desk, Due, Errand, Resource, Save, Stored, Wake

from slipring_critical.cases.facts import TASK_CODE, code_of
from slipring_critical.cases.resources import coded
from slipring_critical.channels import CHANNELS
from slipring_critical.channels.channel import DeliveryFailed, Message
from slipring_critical.channels.media import Kind, short_text, text_of
from slipring_critical.directory import alarms
from slipring_critical.directory.people import owners_of
from slipring_critical.directory.proving import (
    Check,
    Code,
    as_known,
    channel_of,
    check_of,
    new_code,
    state_of,
)
from slipring_critical.directory.watching import looks
from slipring_critical.ringing.carrying import OVERTAKEN, again, attempt_id, carry, is_repeat, line_to

SEND_CODE, ROUTE_DUE = "send-code", "route-due"
ROUTE_CHECK = "route-check"
ROUTE_STATE = f"{CANONICAL}/CodeSystem/route-state"
OWN_ROUTES, TAP = "/alerts/roster/routes", "/r"  # where a code is entered, and where a test is answered by one tap
_PEOPLE = ("Practitioner/", "PractitionerRole/")


def due_key(route: str) -> str:
    """The key of the next look at a contact route."""
    return f"route:{route}"


def code_key(route: str) -> str:
    """The key of the errand that carries a code."""
    return f"code:{route}"


def asked(route: str, check: Check, desk: Desk) -> tuple[Check, list[Wake]]:
    """A new code for a route: what is known of it then, the errand that sends it, and the look when its time is over."""
    code, rhythm = new_code(desk.settings.rhythm), desk.settings.rhythm
    payload = {"locked": desk.vault.locked(f"{code.code} {code.secret}"), "test": check.verified is not None}
    sent = Wake(SEND_CODE, route, key=code_key(route), payload=payload, urgency=2)
    return check.asked_anew(code, desk.now, rhythm, desk.vault), [sent, due(route, rhythm.good_for)]


def due(route: str, after: timedelta = timedelta(0)) -> Wake:
    """Look at a route then."""
    return Wake(ROUTE_DUE, route, after=max(after, timedelta(0)), key=due_key(route), urgency=2)


async def route_due(timer: Due, desk: Desk) -> Changes:
    """Send a code to what is not proven or due for its test, tell what nobody answered, and look again in time."""
    route = await desk.read(timer.subject)
    channel = CHANNELS.get(channel_of(route.resource)) if route else None
    if route is None or route.resource.get("status") != "active":
        return Changes.none()
    rhythm = desk.settings.rhythm
    if channel is None or not channel.leaves:
        return Changes(wake=[due(route.reference, rhythm.interval)])
    check = check_of(route.resource)
    if check.until is not None and desk.now < check.until:
        return Changes(wake=[due(route.reference, check.until - desk.now)])
    if check.until is not None and desk.now < check.until + rhythm.again:
        told = await unanswered(route, state_of(route.resource, desk.now, rhythm), desk)
        return told.plus(Changes(wake=[due(route.reference, check.until + rhythm.again - desk.now)]))
    if check.until is None and check.verified is not None and desk.now < check.verified + rhythm.interval:
        return Changes(wake=[due(route.reference, check.verified + rhythm.interval - desk.now)])
    known, wake = asked(route.reference, check, desk)
    return Changes(save=[as_known(route, known)], wake=wake)


async def send_code(errand: Errand, desk: Desk, client: httpx.AsyncClient) -> Changes:
    """Carry a code over its route. What fails for good, or as long as the code is good, is on record and told as a Task."""
    route = await desk.read(errand.subject)
    check = check_of(route.resource) if route else Check()
    if route is None or route.resource.get("status") != "active" or check.until is None or desk.now >= check.until:
        return Changes.none()
    try:
        message = _message(errand, route.resource, _code_of(errand, desk), desk)
        medium, line = channel_of(route.resource), await line_to(route.reference, desk)
        await carry(message, medium, line, errand, desk, client)
    except DeliveryFailed as failure:
        if failure.reason == OVERTAKEN:
            raise
        if failure.permanent:
            return await _did_not_arrive(route, check, failure.reason, desk)
        payload = again(errand, failure)
        asked_for = timedelta(seconds=failure.after_seconds or 0)
        wait = max(desk.settings.rhythm.wait(int(errand.payload.get("tries", 0)) + 1), asked_for)
        if desk.now + wait >= check.until:
            return await _did_not_arrive(route, check, failure.reason, desk)
        return Changes(wake=[Wake(SEND_CODE, route.reference, wait, code_key(route.reference), payload, 2)])
    return Changes(save=[as_known(route, replace(check, failed=""))]) if check.failed else Changes.none()


async def unanswered(route: Stored, state: str, desk: Desk) -> Changes:
    """The Task that says so, for whoever keeps the directory; and the rosters, which may have a gap now."""
    task = await _task(route.reference, desk)
    owner = next((one for one in owners_of(route.resource) if one.startswith(_PEOPLE)), "")
    about: Resource = {
        "statusReason": coded(ROUTE_STATE, state),
        "code": coded(TASK_CODE, ROUTE_CHECK),
        "focus": {"reference": route.reference},
        **({"owner": {"reference": owner}} if owner else {}),
    }
    saves = alarms.raised(task, about, desk)
    return Changes(save=saves).plus(await looks(desk)) if saves else Changes.none()


async def settled(route: str, desk: Desk) -> list[Save]:
    """The Task of a route that was proven, or is out of use: done."""
    return alarms.settled(await _task(route, desk), desk)


async def proven(route: Stored, desk: Desk) -> Changes:
    """Somebody proved it: nothing is out, nothing is owed, and the next test is armed."""
    known = check_of(route.resource).proven(desk.now)
    saves = [as_known(route, known), *await settled(route.reference, desk)]
    wake = [due(route.reference, desk.settings.rhythm.interval)]
    changes = Changes(save=saves, wake=wake, cancel=[code_key(route.reference)])
    return changes.plus(await looks(desk))


async def _did_not_arrive(route: Stored, check: Check, reason: str, desk: Desk) -> Changes:
    changed = as_known(route, replace(check, failed=reason))
    state = state_of(changed.resource, desk.now, desk.settings.rhythm)
    return Changes(save=[changed]).plus(await unanswered(route, state, desk))


async def _task(route: str, desk: Desk) -> Stored | None:
    found = await desk.search(f"Task?focus={route}")
    return next((one for one in found if code_of(one.resource.get("code"), TASK_CODE) == ROUTE_CHECK), None)


def _code_of(errand: Errand, desk: Desk) -> Code:
    try:
        code, secret = desk.vault.opened(str(errand.payload.get("locked", ""))).split(" ")
    except ValueError as error:  # it was locked by another key, of another database say
        raise DeliveryFailed("locked", permanent=True) from error
    return Code(code, secret)


def _message(errand: Errand, endpoint: Resource, code: Code, desk: Desk) -> Message:
    kind: Kind = "test" if errand.payload.get("test") else "code"
    front, medium = desk.settings.public_url.removesuffix("/fhir"), channel_of(endpoint)
    link = f"{front}{TAP}/{endpoint['id']}/{code.secret}" if kind == "test" else f"{front}{OWN_ROUTES}"
    return Message(
        case=f"Endpoint/{endpoint['id']}",
        communication="",
        level="3",
        text_zh=text_of(kind, "zh", code=code.code),
        text_en=text_of(kind, "en", code=code.code),
        link=link,
        attempt_id=attempt_id(errand),
        repeat=is_repeat(errand),
        sent_at=desk.now,
        short=short_text(kind, medium, desk.settings.message_language, link, code=code.code),
        recipient=next((one for one in owners_of(endpoint) if "/" in one), ""),
        code=code.code,
    )
