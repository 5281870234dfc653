"""Licences, permits, agreement and procedures; gear and devices: what lapses is waited for, gear too thin is refused."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError, Issue
from slipring.fhir.service import Changes, Desk, Write

from slipring_order.department.gear import too_thin
from slipring_order.department.records import DOCUMENT_SYSTEM, kinds_of
from slipring_order.handlers.reminding import reminder
from slipring_order.reading import has_system


async def document_written(write: Write, desk: Desk) -> Changes:
    """A paper of the department ends one day."""
    return reminder(write.reference) if has_system(write.resource.get("type"), DOCUMENT_SYSTEM) else Changes.none()


async def device_written(write: Write, desk: Desk) -> Changes:
    """Protective gear states its lead equivalent, which is 0.5 mmPb or more (5.2.2 e)."""
    if not (kinds := kinds_of(write.resource)):
        return Changes.none()
    day = desk.now.astimezone(desk.settings.zone).date()
    limit = desk.settings.limits.on(day).limit("gear.lead-equivalent")
    if write.method != "delete" and (places := too_thin(write.resource, kinds, limit.value)):
        raise FhirError(
            422,
            [
                Issue(
                    "business-rule",
                    zh=f"防护用品须注明铅当量，且不低于 {limit.value} mmPb。",
                    en=f"Protective gear states its lead equivalent, {limit.value} mmPb or more.",
                    at=place,
                    detail="order.gear-lead-equivalent",
                )
                for place in places
            ],
        )
    return reminder(write.reference) if write.method != "delete" else Changes.none()
