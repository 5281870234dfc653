"""Book an exam on a scanner: appointment, scheduled step and exam in one commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice

from slipring.fhir.outcome import FhirError, conflict, unprocessable
from slipring.fhir.service import Desk, Resource, Save, Stored, successor

from slipring_order import lifecycle, resources
from slipring_order.reading import instant, reference_of
from slipring_order.rooms.appointments import new_appointment, scanner_in, taken_on
from slipring_order.rooms.bounds import refuse_bad_span
from slipring_order.rooms.day import Span, Taken, clashes, free_slots, rooms_data
from slipring_order.rooms.protocol import chosen_protocol, on_record
from slipring_order.rooms.scanner import CT_TYPES, Scanner, is_ct, scanner_of
from slipring_order.rooms.step import STEP_CODE, STEP_SEQUENCE, Booking, new_step, rebooked, step_number
from slipring_order.rooms.table import table_findings

_MAY_BE_BOOKED = frozenset({"justified", "scheduled", "arrived", "ready"})
_HERE = frozenset({"arrived", "ready"})


@dataclass(frozen=True, slots=True)
class Booked:
    """What a booking writes, and whose time it runs into."""

    exam: Save
    step: Save
    appointment: Resource
    bumped: tuple[Taken, ...] = ()
    findings: tuple[Save, ...] = ()


@dataclass(frozen=True, slots=True)
class Places:
    """Where the client said what is booked, for words about it."""

    period: str
    protocol: str


def demand_a_ct(device: Stored | None, at: str) -> Stored:
    """The Device, which is a CT of this department; 422 for anything else."""
    if device is None or not is_ct(device.resource):
        raise unprocessable(
            "The scanner is not a CT known here.", "所指设备不是本科登记的 CT。", at=at, detail="order.scanner-unknown"
        )
    return device


async def known_scanner(named: Resource | None, at: str, desk: Desk) -> Stored:
    """The CT that a Reference names; 422 when it names none."""
    reference = reference_of(named)
    return demand_a_ct(await desk.read(reference) if reference.startswith("Device/") else None, at)


async def scanner_at(named: Resource | None, at: str, desk: Desk) -> Scanner:
    """The scanner that a Reference names; 422 when it names none, 409 when that is out of service."""
    scanner = await read_scanner(await known_scanner(named, at, desk), desk)
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
    return next(iter(await _free(scanner, desk.now, 1, desk)), None)


async def taken_from_now(scanner: Scanner, desk: Desk) -> list[Taken]:
    """What holds a scanner on the days that are searched for its next free slot, as that search saw it."""
    return await taken_on(scanner.reference, Span(desk.now, _searched(desk.now)), desk)


async def _free(scanner: Scanner, begin: datetime, most: int, desk: Desk) -> list[Span]:
    """The first free slots of a scanner from a moment on."""
    zone = desk.settings.zone
    today = begin.astimezone(zone).date()
    days = [today + timedelta(days=n) for n in range(rooms_data()["slots"]["search_days"] + 1)]
    taken = await taken_on(scanner.reference, Span(begin, _searched(begin)), desk)
    slots = (slot for day in days for slot in free_slots(scanner.hours, day, taken, begin, zone))
    return list(islice(slots, most))


def _searched(begin: datetime) -> datetime:
    return begin + timedelta(days=rooms_data()["slots"]["search_days"] + 2)


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
    exam: Stored,
    booking: Booking,
    scanner: Scanner,
    desk: Desk,
    *,
    at: Places,
    appointment: Resource | None = None,
    taken: Sequence[Taken] | None = None,
) -> Booked:
    """Everything that booking writes; 409 when the time is taken.

    `appointment`: the one that the client writes. `taken`: what the slot was found free of; what came since is found at the commit.
    """
    refuse_unbookable(exam.resource)
    span = Span(booking.starts_at, booking.ends_at)
    refuse_bad_span(span, at.period, desk)
    step = await step_of(exam.reference, desk)
    chosen = await chosen_protocol(booking.protocol, exam.resource, step, scanner, desk, at=at.protocol)
    booking = replace(booking, protocol=chosen.protocol)
    chosen = replace(chosen, findings=[*chosen.findings, *await table_findings(exam.resource, scanner, desk)])
    held = await _appointment_of(exam, appointment, desk)
    own = f"Appointment/{appointment['id']}" if appointment else held.reference if held else ""
    bumped = clashes(span, await taken_on(booking.scanner, span, desk) if taken is None else taken, own=own)
    stat = exam.resource.get("priority") == "stat"
    if any(one.blocks or not stat for one in bumped):
        raise await _taken(scanner, span, at.period, desk)
    state = resources.state_of(exam.resource)
    state = "scheduled" if state == "justified" else state  # who is here stays here, whatever day he is booked for
    if appointment is None:
        id = held.resource["id"] if held else desk.new_id()
        appointment = new_appointment(exam, scanner, span, id=id, now=desk.now)
        appointment["status"] = "arrived" if state in _HERE else "booked"
    reference = f"Appointment/{appointment['id']}"
    if step is None:
        number = step_number(await desk.next_value(STEP_SEQUENCE))
        task = Save(new_step(exam, booking, reference, id=desk.new_id(), step_id=number, now=desk.now))
    else:
        task = rebooked(step, exam, booking, reference, desk.now)
    period = {"start": instant(span.starts_at), "end": instant(span.ends_at)}
    moved = resources.moved(
        exam, state, desk.now, restriction={"period": period}, statusReason=exam.resource.get("statusReason")
    )
    return Booked(moved, task, appointment, tuple(bumped), tuple(await on_record(chosen, exam, desk)))


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


async def _taken(scanner: Scanner, span: Span, at: str, desk: Desk) -> FhirError:
    """409 that names free slots: the first of all, and the first from the wanted time on."""
    most, zone = rooms_data()["slots"]["offered"], desk.settings.zone
    first = await _free(scanner, desk.now, 1, desk)
    later = await _free(scanner, max(span.starts_at, desk.now), most, desk)
    offered = sorted({slot.starts_at for slot in [*first, *later]})[:most]
    when = [start.astimezone(zone).isoformat(timespec="minutes") for start in offered]
    return conflict(
        f"The scanner is taken at this time. Next free slots: {', '.join(when) or '-'}.",
        f"该时段已被占用。最近的空闲时段：{'、'.join(when) or '-'}。",
        at=at,
        detail="order.slot-taken",
    )
