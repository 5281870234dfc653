"""When a patient was received: by the arrival register, or as whoever moved the exam wrote it down."""

from __future__ import annotations

from datetime import datetime

from slipring.fhir.service import Desk, Resource, Stored

from slipring_order.reading import moment, reference_of
from slipring_order.rooms.checks import ARRIVAL, input_of


async def arrived_at(exam: Stored, desk: Desk) -> datetime | None:
    """When the patient of an exam was received; None when that is not on record."""
    entry = input_of(exam.resource, ARRIVAL) or {}
    if "valueInstant" in entry:
        return moment(entry["valueInstant"], desk.settings.zone)
    record = await desk.read(reference_of(entry.get("valueReference"))) if entry.get("valueReference") else None
    return moment(occurred_in(record.resource), desk.settings.zone) if record else None


def occurred_in(record: Resource) -> str:
    """When what a Provenance records happened: when it was recorded, unless it was entered later."""
    return str(record.get("occurredDateTime") or record["recorded"])
