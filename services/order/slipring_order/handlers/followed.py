"""What other services tell: consents show the contrast condition, a released report closes the exam."""

from __future__ import annotations

from slipring.fhir.service import Arrival, Changes, Desk, Resource
from slipring.rules.lifecycle import IllegalMove, move

from slipring_order import resources
from slipring_order.judging.contrast import contrast_shown
from slipring_order.judging.judge import exam_of, judged_again
from slipring_order.life.moving import exam_follows
from slipring_order.lifecycle import TRANSITIONS
from slipring_order.reading import reference_of

_RELEASED = frozenset({"final", "amended", "corrected", "appended"})


async def consent_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """Show on the exam whether contrast is cleared, refused or expired."""
    changes = Changes.none()
    before = [arrival.before.resource] if arrival.before else []
    for reference in sorted({one for consent in (arrival.resource, *before) for one in _requests_of(consent)}):
        request, exam = await desk.read(reference), await exam_of(reference, desk)
        if request is None or exam is None:
            continue
        state = resources.state_of(exam.resource)
        members = await contrast_shown(request.resource, exam.resource, state, desk)
        if members["extension"] != exam.resource.get("extension"):
            reason = exam.resource.get("statusReason")
            save = resources.moved(exam, state, desk.now, statusReason=reason, **members)
            changes = changes.plus(Changes(save=[save]))
    return changes


def _requests_of(consent: Resource) -> list[str]:
    """The requests that a consent is for; one that it no longer names is looked at again as well."""
    return [reference_of(data.get("reference")) for data in consent.get("provision", {}).get("data", [])]


async def screening_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """A contrast screening answers J13 for the request it is based on."""
    changes = Changes.none()
    for element in arrival.resource.get("basedOn", []):
        request, exam = await desk.read(reference_of(element)), await exam_of(reference_of(element), desk)
        if request is not None and exam is not None:
            changes = changes.plus(await judged_again(request.resource, exam, desk, void=False))
    return changes


async def report_arrived(arrival: Arrival, desk: Desk) -> Changes:
    """A released report makes the exam reported, and closed; an emergency release makes it reported only."""
    status = arrival.resource.get("status")
    emergency = status == "preliminary" and _tagged(arrival)
    if status not in _RELEASED and not emergency:
        return Changes.none()
    changes = Changes.none()
    for element in arrival.resource.get("basedOn", []):
        exam = await exam_of(reference_of(element), desk)
        if exam is None:
            continue
        state = resources.state_of(exam.resource)
        target = _after_release(state, final=not emergency)
        if target != state:
            follows = await exam_follows(exam, target, desk)
            changes = changes.plus(Changes(save=[resources.moved(exam, target, desk.now), *follows]))
    return changes


def _after_release(state: str, *, final: bool) -> str:
    """A report proves that images exist: a running exam counts as acquired."""
    for event in ("acquire", "report-released", *(("close",) if final else ())):
        if state == "acquired" and event == "acquire":
            continue
        if state == "reported" and event != "close":
            continue
        try:
            state = move(TRANSITIONS, state, event)
        except IllegalMove:
            return state
    return state


def _tagged(arrival: Arrival) -> bool:
    tags = arrival.resource.get("meta", {}).get("tag", [])
    return any(tag.get("code") == "emergency-single-signature" for tag in tags)
