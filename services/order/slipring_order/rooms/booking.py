"""Book an exam on a scanner: appointment, scheduled step and exam in one commit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from slipring.fhir.outcome import FhirError, conflict, unprocessable
from slipring.fhir.service import Desk, Resource, Save, Stored, successor

from slipring_order import lifecycle, resources
from slipring_order.reading import instant, reference_of
from slipring_order.rooms.appointments import new_appointment, scanner_in, taken_on
from slipring_order.rooms.day import Span, Taken, clashes, free_slots, rooms_data
from slipring_order.rooms.scanner import CT_TYPES, Scanner, is_ct, scanner_of
from slipring_order.rooms.step import STEP_CODE, STEP_SEQUENCE, Booking, new_step, rebooked, step_number

_MAY_BE_BOOKED = frozenset({"justified", "scheduled", "arrived", "ready"})


@dataclass(frozen=True, slots=True)
class Booked:
    """What a booking writes, and whose time it runs into."""

    exam: Save
    step: Save
    appointment: Resource
    bumped: tuple[Taken, ...] = ()


async def scanner_at(reference: str, at: str, desk: Desk) -> Scanner:
    """The scanner of a reference; 422 when it is none or is out of service."""
    device = await desk.read(reference) if reference.startswith("Device/") else None
    if device is None or not is_ct(device.resource):
        raise unprocessable(
            "The scanner is not a CT known here.", "所指设备不是本科登记的 CT。", at=at, detail="order.scanner-unknown"
        )
    scanner = await read_scanner(device, desk)
    if not scanner.in_service:
        raise conflict("The scanner is out of service.", "该 CT 已停用。", at=at, detail="order.scanner-out-of-service")
    return scanner


async def read_scanner(device: Stored, desk: Desk) -> Scanner:
    """The scanner of a Device, with the opening hours of its room."""
    place = reference_of(device.resource.get("location"))
    room = await desk.read(place) if place.startswith("Location/") else None
    return scanner_of(device.resource, room.resource if room else None)


async def scanners_in_service(desk: Desk) -> list[Scanner]:
    """Every CT in service, by reference."""
    found = [
        await read_scanner(device, desk) for device in await desk.search(f"Device?type={','.join(sorted(CT_TYPES))}")
    ]
    return sorted((one for one in found if one.in_service), key=lambda one: one.reference)


async def next_free(scanner: Scanner, desk: Desk) -> Span | None:
    """The first free slot of a scanner from now on, within the days that are searched; None if there is none."""
    zone, begin = desk.settings.zone, desk.now
    today = begin.astimezone(zone).date()
    days = [today + timedelta(days=n) for n in range(rooms_data()["slots"]["search_days"] + 1)]
    last = Span(begin, begin + timedelta(days=len(days) + 1))
    taken = await taken_on(scanner.reference, last, desk)
    for day in days:
        free = free_slots(scanner.hours, day, taken, begin, zone)
        if free:
            return free[0]
    return None


async def step_of(exam: str, desk: Desk) -> Stored | None:
    """The scheduled step of an exam, whatever became of it."""
    found = await desk.search(f"Task?part-of={exam}&code={resources.TASK_CODE_SYSTEM}|{STEP_CODE}")
    return next((one for one in found if not one.source), None)


def refuse_unbookable(exam: Resource) -> None:
    """409 unless the exam is in a state in which it can get a time."""
    state = resources.state_of(exam)
    if state not in _MAY_BE_BOOKED:
        zh, en = lifecycle.names(state)
        raise conflict(
            f"An exam that is {en} cannot be scheduled.",
            f"检查处于“{zh}”，不能预约。",
            at="Task.businessStatus",
            detail="order.illegal-move",
        )


async def booked(
    exam: Stored, booking: Booking, scanner: Scanner, desk: Desk, *, at: str, appointment: Resource | None = None
) -> Booked:
    """Everything that booking writes; 409 when the time is taken. `appointment`: the one that the client writes."""
    refuse_unbookable(exam.resource)
    span = Span(booking.starts_at, booking.ends_at)
    _refuse_bad_span(span, at, desk)
    step = await step_of(exam.reference, desk)
    held = await _appointment_of(exam, appointment, desk)
    own = f"Appointment/{appointment['id']}" if appointment else held.reference if held else ""
    bumped = clashes(span, await taken_on(booking.scanner, span, desk), own=own)
    stat = exam.resource.get("priority") == "stat"
    if any(one.blocks or not stat for one in bumped):
        raise await _taken(scanner, span, at, desk)
    if appointment is None:
        appointment = new_appointment(
            exam, scanner, span, id=held.resource["id"] if held else desk.new_id(), now=desk.now
        )
    reference = f"Appointment/{appointment['id']}"
    if step is None:
        number = step_number(await desk.next_value(STEP_SEQUENCE))
        task = Save(new_step(exam, booking, reference, id=desk.new_id(), step_id=number, now=desk.now))
    else:
        task = rebooked(step, exam, booking, reference, desk.now)
    state = resources.state_of(exam.resource)
    period = {"start": instant(span.starts_at), "end": instant(span.ends_at)}
    moved = resources.moved(
        exam,
        "scheduled" if state == "justified" else state,
        desk.now,
        restriction={"period": period},
        statusReason=exam.resource.get("statusReason"),
    )
    return Booked(moved, task, appointment, tuple(bumped))


async def _appointment_of(exam: Stored, written: Resource | None, desk: Desk) -> Stored | None:
    """The appointment that the exam has; another one that a client writes beside it is refused."""
    request = reference_of(exam.resource["focus"])
    found = [one for one in await desk.search(f"Appointment?based-on={request}") if scanner_in(one.resource)]
    live = [one for one in found if one.resource.get("status") in rooms_data()["appointments"]["holding"]]
    if written is not None and any(one.resource["id"] != written["id"] for one in live):
        raise conflict(
            "The exam already has an appointment: change that one.",
            "该检查已有预约，请改约。",
            at="Appointment.basedOn",
            detail="order.already-booked",
        )
    return live[0] if live else None


def appointment_save(booked_: Booked, before: Stored | None) -> Save:
    """The appointment of a booking as the department writes it: the same one moved, or a new one."""
    if before is None:
        return Save(booked_.appointment)
    moved = {name: booked_.appointment[name] for name in ("status", "participant", "start", "end", "minutesDuration")}
    return successor(before, **moved)


def _refuse_bad_span(span: Span, at: str, desk: Desk) -> None:
    if span.ends_at <= span.starts_at:
        raise unprocessable(
            "The end of the slot is not after its start.",
            "时段的结束须晚于开始。",
            at=at,
            detail="order.slot-backwards",
        )
    if span.ends_at <= desk.now:
        raise unprocessable("The slot lies in the past.", "所选时段已过。", at=at, detail="order.slot-past")


async def _taken(scanner: Scanner, span: Span, at: str, desk: Desk) -> FhirError:
    free = await next_free(scanner, desk)
    zone = desk.settings.zone
    when = free.starts_at.astimezone(zone).isoformat(timespec="minutes") if free else "-"
    return conflict(
        f"The scanner is taken at this time. Next free slot: {when}.",
        f"该时段已被占用。最近的空闲时段：{when}。",
        at=at,
        detail="order.slot-taken",
    )
