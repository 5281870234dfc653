"""Scanners and their time: what the Devices and Appointments say. Nothing is worked out here that order decides."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from slipring.department import names
from slipring.department.findings import Found, found_in
from slipring.department.names import Pair
from slipring.department.road import Hand, Tree
from slipring.fhir.service import CANONICAL

_HOLDING = "pending,booked,arrived,checked-in,fulfilled"
STATE = f"{CANONICAL}/StructureDefinition/service-state"
_BLOCK = "maintenance"
_LONGEST_EXAM, _LONGEST_BLOCK = timedelta(hours=24), timedelta(days=366)  # as order lets them hold a scanner


@dataclass(frozen=True, slots=True)
class Note:
    """A remark on a device."""

    at: datetime | None
    text: str


@dataclass(frozen=True, slots=True)
class Scanner:
    """One scanner as its Device states it."""

    device: Tree

    @property
    def reference(self) -> str:
        """`Device/id`."""
        return f"Device/{self.device['id']}"

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.device["id"])

    @property
    def name(self) -> str:
        """What the department calls it."""
        given = [str(one.get("name", "")) for one in self.device.get("deviceName", [])]
        return next(filter(None, given), "") or str(self.device.get("modelNumber") or f"CT {self.id[-4:]}")

    @property
    def in_use(self) -> bool:
        """Whether its record is of a device in use; if not, no service state brings it back."""
        return bool(self.device.get("status", "active") == "active")

    @property
    def in_service(self) -> bool:
        """Whether it is in service, read as order reads it: a state that is none of the two is no permission."""
        return self.in_use and self._service_state() == "in-service"

    def _service_state(self) -> str:
        """As written: the extension, else the property, else in service."""
        for one in self.device.get("extension", []):
            if one.get("url") == STATE:
                return str(one.get("valueCode", ""))
        for one in self.device.get("property", []):
            if names.has_code(one.get("type"), "scanner-property", "service-state"):
                return next((code for value in one.get("valueCode", []) for code in names.codes(value)), "")
        return "in-service"

    @property
    def why(self) -> list[Pair]:
        """Why it is as it is, in the words of whoever set it; else what was noted last."""
        reasons = [names.concept_words(concept) for concept in self.device.get("statusReason", [])]
        return reasons or [(one.text, one.text) for one in self.notes[:1]]

    @property
    def notes(self) -> list[Note]:
        """What was noted about it, the newest first."""
        found = [Note(names.moment(one.get("time")), str(one.get("text", ""))) for one in self.device.get("note", [])]
        return found[::-1]


@dataclass(frozen=True, slots=True)
class Booking:
    """A span of a scanner's time that something holds."""

    appointment: Tree
    starts_at: datetime
    ends_at: datetime
    scanner: str
    request: str  # id of the ServiceRequest; '' when the time is blocked

    @property
    def blocked(self) -> bool:
        """Whether it is no patient's time."""
        return any(_BLOCK in names.codes(kind) for kind in self.appointment.get("serviceType", [])) or not self.request

    @property
    def words(self) -> str:
        """What the booking says of itself."""
        return str(self.appointment.get("description") or self.appointment.get("comment") or "")


async def scanners(hand: Hand) -> list[Scanner] | None:
    """The department's CT scanners by name; None when the person's roles do not open devices."""
    found = await hand.if_allowed("Device", [("type", "CT,702569007,6815"), ("_count", "100")])
    return None if found is None else sorted((Scanner(one) for one in found), key=lambda one: one.name)


@dataclass(frozen=True, slots=True)
class Fitness:
    """Whether a scanner may scan now, and what speaks against it."""

    fit: bool
    findings: list[Found]


async def fitness_of(hand: Hand, scanner: Scanner) -> Fitness | None:
    """`Device/[id]/$fitness`; None when the person's roles do not open the tests of scanners."""
    said = await hand.called_if_allowed(f"{scanner.reference}/$fitness")
    if said is None:
        return None
    fit = next((bool(one["valueBoolean"]) for one in said if one["name"] == "fit"), False)
    return Fitness(fit, found_in([one["resource"] for one in said if one["name"] == "issue"]))


async def free_times(hand: Hand, of: Iterable[Scanner], day: date) -> dict[str, list[datetime]]:
    """When each scanner that is in service is free on a day, by `Device/[id]/$slots`; left out where the roles forbid."""
    every = [scanner for scanner in of if scanner.in_service]
    told = await asyncio.gather(*(_slots(hand, scanner, day) for scanner in every))
    return {scanner.reference: times for scanner, times in zip(every, told, strict=True) if times is not None}


async def _slots(hand: Hand, scanner: Scanner, day: date) -> list[datetime] | None:
    asked = [{"name": "day", "valueDate": day.isoformat()}]
    said = await hand.called_if_allowed(f"{scanner.reference}/$slots", asked)
    if said is None:
        return None
    starts = (names.moment(one["valuePeriod"].get("start")) for one in said)
    return [start for start in starts if start]


async def bookings_on(hand: Hand, of: Iterable[Scanner], day: date, zone: tzinfo) -> list[Booking]:
    """What holds these scanners on a day, earliest first; what began before it and lasts into it too."""
    known = [scanner.reference for scanner in of]
    if not known:
        return []
    begin = datetime.combine(day, time(), zone)
    end = begin + timedelta(days=1)
    asked = [("actor", ",".join(known)), ("status", _HOLDING), ("date", f"lt{end.isoformat()}"), ("_count", "500")]
    exams, blocks = await asyncio.gather(
        hand.found("Appointment", [*asked, ("date", f"ge{(begin - _LONGEST_EXAM).isoformat()}")]),
        hand.found(
            "Appointment",
            [*asked, ("service-type", _BLOCK), ("date", f"ge{(begin - _LONGEST_BLOCK).isoformat()}")],
        ),
    )
    once = {str(one["id"]): one for one in [*exams, *blocks]}
    return [one for one in _read(list(once.values()), known) if one.starts_at < end and one.ends_at > begin]


async def bookings_with(hand: Hand, scanner: str, since: datetime) -> list[Booking]:
    """What holds one scanner from a moment on."""
    asked = [
        ("actor", f"Device/{scanner}"),
        ("status", _HOLDING),
        ("date", f"ge{since.isoformat()}"),
        ("_count", "500"),
    ]
    return _read(await hand.found("Appointment", asked), [f"Device/{scanner}"])


async def booking_of(hand: Hand, request_id: str) -> Booking | None:
    """The time that an exam has; None when it has none, or the person may not see it."""
    asked = [("based-on", f"ServiceRequest/{request_id}"), ("status", _HOLDING)]
    found = _read(await hand.if_allowed("Appointment", asked) or [])
    return found[-1] if found else None


def _read(appointments: list[dict[str, Any]], of: Sequence[str] = ()) -> list[Booking]:
    """Bookings of these scanners; a booking may hold an injector too."""
    found = [one for tree in appointments if (one := _booking(tree, of))]
    return sorted(found, key=lambda one: (one.starts_at, one.scanner))


def _booking(appointment: Mapping[str, Any], of: Sequence[str]) -> Booking | None:
    start, end = names.moment(appointment.get("start")), names.moment(appointment.get("end"))
    actors = [names.reference_in(one.get("actor")) for one in appointment.get("participant", [])]
    scanner = next((actor for actor in actors if actor.startswith("Device/") and (not of or actor in of)), "")
    if start is None or end is None or not scanner:
        return None
    request = names.reference_in(appointment.get("basedOn"))
    return Booking(dict(appointment), start, end, scanner, request.rpartition("/")[2])
