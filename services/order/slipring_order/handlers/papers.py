"""Licences, permits, agreement and procedures; gear and devices: what lapses is waited for, gear too thin is refused."""

from __future__ import annotations

from slipring.fhir.outcome import FhirError, Issue, conflict, unprocessable
from slipring.fhir.service import Changes, Desk, Write

from slipring_order.department.gear import too_thin
from slipring_order.department.records import DOCUMENT_SYSTEM, kinds_of
from slipring_order.equipment.comparison_record import is_comparison
from slipring_order.handlers.reminding import reminder
from slipring_order.reading import has_system
from slipring_order.rooms.scanner import IN_SERVICE, OUT_OF_SERVICE, is_ct, service_state
from slipring_order.rooms.stranded import taken_out_of_service


async def document_written(write: Write, desk: Desk) -> Changes:
    """A paper of the department ends one day; a comparison of scanners is kept by its operations alone."""
    held = [write.resource, *([write.before.resource] if write.before else [])]
    if any(map(is_comparison, held)) and (write.method == "delete" or not write.imported):
        raise conflict(
            "Comparisons of scanners are kept by $record-comparison and $approve-comparison.",
            "设备间比对记录须以 $record-comparison 与 $approve-comparison 记录。",
            at="DocumentReference.type",
            detail="order.comparison-by-operation",
        )
    return reminder(write.reference) if has_system(write.resource.get("type"), DOCUMENT_SYSTEM) else Changes.none()


async def device_written(write: Write, desk: Desk) -> Changes:
    """Protective gear states its lead equivalent, which is 0.5 mmPb or more (5.2.2 e); a scanner, whether it is in use."""
    if write.imported or not any(map(is_ct, (write.resource, write.before.resource if write.before else {}))):
        return _gear(write, desk)
    if write.method != "delete" and service_state(write.resource) not in (IN_SERVICE, OUT_OF_SERVICE):
        raise unprocessable(
            f"The service state of a scanner is {IN_SERVICE} or {OUT_OF_SERVICE}.",
            f"CT 的使用状态须为 {IN_SERVICE} 或 {OUT_OF_SERVICE}。",
            at="Device",
            code="code-invalid",
            detail="order.service-state-unknown",
        )
    told = await taken_out_of_service(write.resource, write.before, desk, deleted=write.method == "delete")
    return _gear(write, desk).plus(Changes(save=told))


def _gear(write: Write, desk: Desk) -> Changes:
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
