"""The contrast condition of an exam, as the consents followed from consent say it."""

from __future__ import annotations

from typing import Any

from slipring.consents.state import EMERGENCY, consent_state
from slipring.fhir.merged import merge_set
from slipring.fhir.service import Desk, Resource

from slipring_order import resources
from slipring_order.facts import OrderFacts
from slipring_order.gathering.request import contrast_planned
from slipring_order.lifecycle import OPEN_QUESTIONS
from slipring_order.offer.mapping import exam_of_concept
from slipring_order.offer.maps_in_use import definition_of, maps_of
from slipring_order.reading import Pool, reference_of
from slipring_order.rooms.checks import PLAIN, done_items

_SHOWN = {"active": "cleared", EMERGENCY: EMERGENCY, "expired": "expired", "refused": "refused", "withdrawn": "refused"}


async def contrast_condition(request: Resource, state: str, desk: Desk) -> str:
    """Whether contrast is cleared, as the consents followed from consent say; empty before justification."""
    if not _is_shown(state):
        return ""
    pool = Pool()
    pool.add(request)
    await maps_of(pool, desk)
    await definition_of(request, pool, desk)
    planned = contrast_planned(request, exam_of_concept(request.get("code"), pool))
    return await _cleared(request, desk) if planned else "not-needed"


def _is_shown(state: str) -> bool:
    return state not in OPEN_QUESTIONS and state not in ("rejected", "cancelled")


async def _cleared(request: Resource, desk: Desk) -> str:
    """As the gate of consent judges the same consents; what does not hold yet is as open as what was never given."""
    found = await desk.search(f"Consent?data=ServiceRequest/{request['id']}")
    if not found:
        return "open"
    person = await merge_set(reference_of(request.get("subject")), desk)
    return _SHOWN.get(consent_state(found, person, desk.now, desk.settings.zone), "open")


def _with_contrast(task: Resource, condition: str) -> dict[str, Any]:
    others = [entry for entry in task.get("extension", []) if entry.get("url") != resources.CONTRAST_CONDITION]
    shown = [{"url": resources.CONTRAST_CONDITION, "valueCode": condition}] if condition else []
    return {"extension": [*others, *shown] or None}


async def contrast_shown(request: Resource, exam: Resource, state: str, desk: Desk) -> dict[str, Any]:
    """The Task members that show the contrast condition in a state; none is needed once a radiologist made it plain."""
    if PLAIN in done_items(exam):
        return _with_contrast(exam, "not-needed")
    return _with_contrast(exam, await contrast_condition(request, state, desk))


async def contrast_of(request: Resource, exam: Resource, state: str, facts: OrderFacts, desk: Desk) -> dict[str, Any]:
    """The same by facts that are gathered already."""
    if PLAIN in done_items(exam):
        return _with_contrast(exam, "not-needed")
    if not _is_shown(state):
        return _with_contrast(exam, "")
    return _with_contrast(exam, await _cleared(request, desk) if facts.contrast else "not-needed")
