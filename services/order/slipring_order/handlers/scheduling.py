"""Exams get a time on a scanner: by operation, or by an Appointment that a client writes."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from slipring.fhir.outcome import conflict, unprocessable
from slipring.fhir.service import Call, Changes, Desk, Resource, Stored, Write

from slipring_order import resources
from slipring_order.judging.judge import exam_of
from slipring_order.reading import moment, reference_of
from slipring_order.rooms.appointments import given_back, holds, is_block, request_in, scanner_in, span_of
from slipring_order.rooms.booking import (
    Booked,
    Places,
    appointment_save,
    booked,
    next_free,
    refuse_unbookable,
    scanner_at,
    scanners_in_service,
    taken_from_now,
)
from slipring_order.rooms.bounds import refuse_bad_block
from slipring_order.rooms.checks import before_the_visit
from slipring_order.rooms.day import Span
from slipring_order.rooms.following import step_follows
from slipring_order.rooms.scanner import Scanner, is_ct
from slipring_order.rooms.step import Booking
from slipring_order.rooms.stranded import bookings_to_move

_BOOKED = ("scheduled", "arrived", "ready")


async def scheduled(call: Call, desk: Desk) -> Changes:
    """`Task/[id]/$schedule`: book the exam, or move what is booked; without a period, the next free slot."""
    exam = the_exam(call)
    refuse_unbookable(exam.resource)
    done = await _booked(call, exam, desk)
    before = await desk.read(f"Appointment/{done.appointment['id']}")
    appointment = appointment_save(done, before)
    answer = [
        {"name": "return", "resource": done.exam.resource},
        {"name": "step", "resource": done.step.resource},
        {"name": "appointment", "resource": appointment.resource},
        *({"name": "bumped", "valueReference": {"reference": one.appointment}} for one in done.bumped),
        *({"name": "issue", "resource": one.resource} for one in done.findings if one.replaces is None),
    ]
    saves = [done.exam, done.step, appointment, *done.findings]
    return Changes(save=saves, answer={"resourceType": "Parameters", "parameter": answer})


async def _booked(call: Call, exam: Stored, desk: Desk) -> Booked:
    scanner, span = await _place(call, desk)
    booking = Booking(
        scanner.reference, span.starts_at, span.ends_at, call.value("protocol") or call.value("protocolCode")
    )
    named = next((name for name in ("protocol", "protocolCode") if call.value(name)), "protocol")
    # The next free slot is booked on one look: a second one might see what others booked in between, and refuse.
    taken = None if call.value("period") else await taken_from_now(scanner, desk)
    return await booked(exam, booking, scanner, desk, at=Places(call.at("period"), call.at(named)), taken=taken)


async def unscheduled(call: Call, desk: Desk) -> Changes:
    """`Task/[id]/$unschedule`: give the exam's time back, or end the visit of who left; the exam stays justified."""
    exam = the_exam(call)
    state = resources.state_of(exam.resource)
    if state not in _BOOKED or (state == "scheduled" and "restriction" not in exam.resource):
        raise unprocessable(
            "The exam has no appointment.", "该检查没有预约。", at="Task.restriction", detail="order.not-booked"
        )
    return await _freed(exam, desk)


async def appointment_written(write: Write, desk: Desk) -> Changes:
    """An appointment with a scanner is a booking like any other; one for maintenance blocks the time it takes."""
    was, now = (write.before.resource if write.before else {}), write.resource
    if write.imported or not (scanner_in(now) or scanner_in(was)):
        return Changes.none()
    request = request_in(now) or request_in(was)
    exam = await exam_of(request, desk) if request else None
    if write.method == "delete" or given_back(now):
        return await _freed(exam, desk, without=write.reference) if exam and was and holds(was) else Changes.none()
    if was and holds(was) and request_in(was):
        await _demand_the_same_exam(was, now, desk)
    if not holds(now) or _same_time(was, now):
        return Changes.none()
    return await (_blocked(now, desk) if is_block(now) else _booked_by_hand(now, exam, desk))


async def _blocked(block: Resource, desk: Desk) -> Changes:
    """A scanner's time is taken for maintenance, whoever is booked: that he must be moved is told."""
    device = await desk.read(scanner_in(block))
    if device is None or not is_ct(device.resource):
        return Changes.none()
    span = _demand_a_span(block)
    refuse_bad_block(span, "Appointment.start", desk)
    after = Span(max(span.starts_at, desk.now), span.ends_at)
    return Changes(save=await bookings_to_move(device.reference, after, desk, because_of=f"Appointment/{block['id']}"))


def _demand_a_span(appointment: Resource) -> Span:
    span = span_of(appointment)
    if span is None:
        raise unprocessable(
            "A booked appointment states start and end.",
            "预约须给出开始与结束时间。",
            at="Appointment.start",
            code="required",
            detail="order.slot-missing",
        )
    return span


async def _demand_the_same_exam(was: Resource, now: Resource, desk: Desk) -> None:
    """A booking keeps its exam and a scanner: taken away from under it, the exam would stand on no list."""
    device = await desk.read(scanner_in(now)) if scanner_in(now) else None
    if request_in(now) == request_in(was) and not is_block(now) and device is not None and is_ct(device.resource):
        return
    raise conflict(
        "A booking keeps its exam and a scanner: cancel it and book anew.",
        "预约的检查与 CT 不可去除或更换为他项：请取消后重新预约。",
        at="Appointment",
        detail="order.booking-is-kept",
    )


def _same_time(was: Resource, now: Resource) -> bool:
    return bool(was) and holds(was) and (span_of(was), scanner_in(was)) == (span_of(now), scanner_in(now))


async def _booked_by_hand(appointment: Resource, exam: Stored | None, desk: Desk) -> Changes:
    device = await desk.read(scanner_in(appointment))
    if device is None or not is_ct(device.resource):
        return Changes.none()
    if exam is None:
        raise unprocessable(
            "An appointment on a scanner is for an exam, or for maintenance.",
            "CT 预约须对应一项检查，或注明为维护。",
            at="Appointment.basedOn",
            detail="order.appointment-without-exam",
        )
    scanner = await scanner_at({"reference": scanner_in(appointment)}, "Appointment.participant", desk)
    span = _demand_a_span(appointment)
    protocol = next(
        (
            one
            for one in appointment.get("supportingInformation", [])
            if reference_of(one).startswith("PlanDefinition/")
        ),
        None,
    )
    booking = Booking(scanner.reference, span.starts_at, span.ends_at, protocol)
    at = Places("Appointment.start", "Appointment.supportingInformation")
    done = await booked(exam, booking, scanner, desk, at=at, appointment=appointment)
    return Changes(save=[done.exam, done.step, *done.findings])


async def _freed(exam: Stored, desk: Desk, *, without: str = "") -> Changes:
    """The exam is justified again and its time free; `without` names the appointment that the client writes himself."""
    if resources.state_of(exam.resource) not in _BOOKED:
        return Changes.none()
    follows = [
        one
        for one in await step_follows(exam, "justified", desk)
        if f"{one.resource['resourceType']}/{one.resource['id']}" != without
    ]
    moved = resources.moved(exam, "justified", desk.now, restriction=None, input=before_the_visit(exam.resource))
    return Changes(save=[moved, *follows], answer=moved.resource)


def the_exam(call: Call) -> Stored:
    """The exam Task that an operation is called on."""
    if call.target is None or not resources.is_exam(call.target.resource):
        raise unprocessable(
            "This operation is for an exam's Task.",
            "此操作只用于检查任务。",
            at="Task.code",
            detail="order.not-an-exam",
        )
    return call.target


async def _place(call: Call, desk: Desk) -> tuple[Scanner, Span]:
    period: dict[str, Any] = call.value("period") or {}
    named = call.value("scanner")
    scanners = [await scanner_at(named, call.at("scanner"), desk)] if named else await scanners_in_service(desk)
    if period:
        if not named:
            raise unprocessable(
                "A period needs its scanner.",
                "指定时段时须同时指定 CT。",
                at=call.at("scanner"),
                code="required",
                detail="order.scanner-missing",
            )
        return scanners[0], _span(period, call, scanners[0])
    free = [(span, scanner) for scanner in scanners if (span := await next_free(scanner, desk))]
    if not free:
        raise unprocessable(
            "No slot is free within the days that are searched.",
            "查询期内没有空闲时段。",
            at=call.at("period"),
            detail="order.no-free-slot",
        )
    span, scanner = min(free, key=lambda found: found[0].starts_at)
    return scanner, span


def _span(period: dict[str, Any], call: Call, scanner: Scanner) -> Span:
    start = moment(period.get("start"), UTC) if "T" in str(period.get("start", "")) else None
    if start is None:
        raise unprocessable(
            "The period starts at a moment.",
            "时段须给出开始时刻。",
            at=f"{call.at('period')}.valuePeriod.start",
            code="required",
            detail="order.slot-missing",
        )
    end = moment(period.get("end"), UTC) if "T" in str(period.get("end", "")) else None
    if end is None and "end" in period:
        raise unprocessable(
            "The period ends at a moment, or does not say when.",
            "时段的结束须为时刻，或不予给出。",
            at=f"{call.at('period')}.valuePeriod.end",
            code="value",
            detail="order.slot-missing",
        )
    return Span(start, end or start + scanner.hours.slot)
