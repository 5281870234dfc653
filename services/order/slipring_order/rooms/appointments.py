"""Appointments: they hold a scanner's time for an exam, or block it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from slipring.fhir.service import Desk, Resource, Stored

from slipring_order.asked_day import found_by_day
from slipring_order.reading import codes, instant, moment, reference_of
from slipring_order.rooms.day import Span, Taken, clashes, rooms_data
from slipring_order.rooms.scanner import Scanner

MAINTENANCE = "maintenance"


def holds(appointment: Resource) -> bool:
    """Whether it holds time."""
    return appointment.get("status") in rooms_data()["appointments"]["holding"]


def given_back(appointment: Resource) -> bool:
    """Whether it has given its time back."""
    return appointment.get("status") in rooms_data()["appointments"]["given_back"]


def is_block(appointment: Resource) -> bool:
    """Whether it takes a scanner out of use for maintenance."""
    return any(MAINTENANCE in codes(kind) for kind in appointment.get("serviceType", []))


def scanner_in(appointment: Resource) -> str:
    """The Device that takes part, or an empty string."""
    actors = (reference_of(one.get("actor")) for one in appointment.get("participant", []))
    return next((actor for actor in actors if actor.startswith("Device/")), "")


def request_in(appointment: Resource) -> str:
    """The ServiceRequest that it is for, or an empty string."""
    found = map(reference_of, appointment.get("basedOn", []))
    return next((reference for reference in found if reference.startswith("ServiceRequest/")), "")


def span_of(appointment: Resource) -> Span | None:
    """Its time, when both ends are stated."""
    start, end = (moment(appointment.get(name), UTC) for name in ("start", "end"))
    return Span(start, end) if start and end else None


def new_appointment(exam: Stored, scanner: Scanner, span: Span, *, id: str, now: datetime) -> Resource:
    """The booking of an exam on a scanner."""
    actors = [reference_of(exam.resource.get("for")), scanner.reference, scanner.room]
    return {
        "resourceType": "Appointment",
        "id": id,
        "status": "booked",
        "created": instant(now),
        "basedOn": exam.resource["basedOn"],
        "participant": [{"actor": {"reference": actor}, "status": "accepted"} for actor in actors if actor],
        **times(span),
    }


def times(span: Span) -> Resource:
    """The members that state an appointment's time."""
    return {
        "start": instant(span.starts_at),
        "end": instant(span.ends_at),
        "minutesDuration": max(1, round((span.ends_at - span.starts_at) / timedelta(minutes=1))),
    }


def longest(*, block: bool = False) -> timedelta:
    """How long an exam, or a block, may hold a scanner: nothing that began earlier holds it still."""
    if block:
        return timedelta(days=rooms_data()["blocks"]["longest_days"])
    return timedelta(hours=rooms_data()["slots"]["longest_hours"])


async def taken_on(scanner: str, span: Span, desk: Desk) -> list[Taken]:
    """What holds the scanner within a span; the decision relies on nothing else being there."""
    holding = ",".join(rooms_data()["appointments"]["holding"])
    asked = f"Appointment?actor={scanner}&status={holding}&date=lt{instant(span.ends_at)}"
    near, blocks = await desk.searches(
        [
            f"{asked}&date=ge{instant(span.starts_at - longest())}",
            f"{asked}&service-type={MAINTENANCE}&date=ge{instant(span.starts_at - longest(block=True))}",
        ]
    )
    found = {one.reference: one.resource for one in [*near, *blocks] if holds(one.resource)}
    return [one for reference, tree in found.items() if (one := _taken(reference, tree)) and one.span.meets(span)]


async def booked_on(scanner: str, span: Span, desk: Desk) -> list[Taken]:
    """The exams that hold the scanner within a span, however long it is and however many they are; earliest first."""
    holding = ",".join(rooms_data()["appointments"]["holding"])
    first, last = (at.astimezone(desk.settings.zone).date() for at in (span.starts_at - longest(), span.ends_at))
    found = await found_by_day(f"Appointment?actor={scanner}&status={holding}", "date", (first, last), desk)
    taken = [one for each in found if holds(each.resource) and (one := _taken(each.reference, each.resource))]
    return clashes(span, [one for one in taken if not one.blocks])


def _taken(reference: str, appointment: Resource) -> Taken | None:
    span = span_of(appointment)
    request = "" if is_block(appointment) else request_in(appointment)
    return Taken(span, reference, request) if span else None
