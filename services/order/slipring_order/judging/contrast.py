"""The contrast condition of an exam, as the consents followed from consent say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipring.fhir.service import CANONICAL, Desk, Resource

from slipring_order import resources
from slipring_order.facts import OrderFacts
from slipring_order.gathering.request import contrast_planned
from slipring_order.lifecycle import OPEN_QUESTIONS
from slipring_order.offer.mapping import exam_of_concept
from slipring_order.offer.maps_in_use import definition_of, maps_of
from slipring_order.reading import Pool, moment
from slipring_order.rooms.checks import PLAIN, done_items

_EXCEPTION = f"{CANONICAL}/StructureDefinition/emergency-exception"  # as consent keeps it
EMERGENCY = "emergency-exception"  # approved without consent, where nobody could give it


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
    found = await desk.search(f"Consent?data=ServiceRequest/{request['id']}")
    consents = [stored.resource for stored in found]
    standing = [one for one in consents if one.get("status") == "active" and in_force(one, desk)]
    if standing:
        return EMERGENCY if all(map(_is_exception, standing)) else "cleared"
    if any(consent.get("status") == "active" for consent in consents):
        return "expired"
    return "refused" if any(consent.get("status") in ("rejected", "inactive") for consent in consents) else "open"


def _is_exception(consent: Resource) -> bool:
    """Whether contrast was approved without consent."""
    return any(entry.get("url") == _EXCEPTION for entry in consent.get("extension", []))


def in_force(consent: Resource, desk: Desk) -> bool:
    """Whether a consent has not ended by its own period."""
    period: Mapping[str, Any] = consent.get("provision", {}).get("period", {})
    end = moment(period.get("end"), desk.settings.zone, end_of_day=True)
    return end is None or desk.now <= end


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
