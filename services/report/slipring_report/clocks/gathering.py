"""By when the report of an exam is due, as what is known here says: the exam's own Task, its request, its encounter."""

from __future__ import annotations

from datetime import datetime

from slipring.fhir.service import Desk, Resource

from slipring_report.clocks.deadline import Deadline, Moments, deadline
from slipring_report.clocks.policy import clock_for
from slipring_report.department import calendar_of, zone_of
from slipring_report.reading import reference_of

_ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


async def deadline_of(exam: Resource, desk: Desk) -> Deadline:
    """The deadline of an exam that was acquired; a request or encounter that has not arrived leaves the ordinary clock.

    The exam's own Task carries what order knew: its priority stands in until the request is here.
    """
    request = await desk.read(reference_of(exam.get("focus")) or "ServiceRequest/none")
    encounter = await desk.read(reference_of(exam.get("encounter")) or "Encounter/none")
    moments = _moments(exam, request.resource if request else {}, desk)
    priority = str(exam.get("priority") or (request.resource.get("priority") if request else "") or "routine")
    zone = zone_of(desk)
    day = moments.acquired.astimezone(zone).date()
    clock = clock_for(priority, _class_of(encounter.resource if encounter else {}), day, desk.settings.clocks)
    return deadline(clock, moments, calendar_of(desk), zone)


def acquired_at(exam: Resource, desk: Desk) -> datetime:
    """When the exam was over, as its Task says; else when it was last written."""
    said = exam.get("executionPeriod", {}).get("end") or exam.get("lastModified")
    return _moment(said, desk) or desk.now


def _moments(exam: Resource, request: Resource, desk: Desk) -> Moments:
    began = _moment(exam.get("executionPeriod", {}).get("start"), desk)
    asked = _moment(request.get("authoredOn") or exam.get("authoredOn"), desk)
    return Moments(acquired_at(exam, desk), began, asked)


def _class_of(encounter: Resource) -> str:
    said = encounter.get("class", {})
    return str(said.get("code", "")) if said.get("system", _ACT) == _ACT else ""


def _moment(text: object, desk: Desk) -> datetime | None:
    """A FHIR time; one without an offset is the department's."""
    try:
        found = datetime.fromisoformat(str(text)) if text else None
    except ValueError:  # a year or a month
        return None
    return found.replace(tzinfo=zone_of(desk)) if found is not None and found.tzinfo is None else found
