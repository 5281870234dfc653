"""A scanner as its Device states it: whether it is in service, when it is open, how long its slots are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_order.reading import codes, has_code
from slipring_order.rooms.day import Hours, rooms_data, usual_week

SERVICE_STATE = f"{CANONICAL}/StructureDefinition/service-state"
SCANNER_PROPERTY = f"{CANONICAL}/CodeSystem/scanner-property"
IN_SERVICE, OUT_OF_SERVICE = "in-service", "out-of-service"
CT_TYPES = frozenset({"CT", "702569007", "6815"})
_MINUTES = "min"
_SHORTEST, _LONGEST = 1, 24 * 60  # minutes that a slot may last
_MIDNIGHT, _ENDS = time.min, ("openingTime", "closingTime")


@dataclass(frozen=True, slots=True)
class Scanner:
    """What scheduling knows of a scanner."""

    reference: str  # Device/...
    name: str
    room: str  # Location/..., or empty
    in_service: bool
    hours: Hours
    device: Resource


def is_ct(device: Resource) -> bool:
    """Whether a Device is a CT scanner by its type."""
    return bool(CT_TYPES.intersection(codes(device.get("type"))))


def service_state(device: Resource) -> str:
    """`in-service` or `out-of-service` as written: the extension, else the property, else what Device.status says."""
    for entry in device.get("extension", []):
        if entry.get("url") == SERVICE_STATE:
            return str(entry.get("valueCode", ""))
    for entry in device.get("property", []):
        if has_code(entry.get("type"), SCANNER_PROPERTY, "service-state"):
            return next((code for value in entry.get("valueCode", []) for code in codes(value)), "")
    return OUT_OF_SERVICE if device.get("status", "active") != "active" else IN_SERVICE


def in_service(device: Resource) -> bool:
    """Whether a Device is in use; a state that is none of the two is no permission."""
    return device.get("status", "active") == "active" and service_state(device) == IN_SERVICE


def scanner_of(device: Resource, room: Resource | None) -> Scanner:
    """Read a scanner; its room's hours of operation count before the department's usual week."""
    names = device.get("deviceName") or [{}]
    return Scanner(
        reference=f"Device/{device['id']}",
        name=str(names[0].get("name", "")),
        room=f"Location/{room['id']}" if room else "",
        in_service=in_service(device),
        hours=Hours(_week(room), timedelta(minutes=_slot_minutes(device))),
        device=device,
    )


def _slot_minutes(device: Resource) -> float:
    for entry in device.get("property", []):
        if has_code(entry.get("type"), SCANNER_PROPERTY, "slot-length"):
            for quantity in entry.get("valueQuantity", []):
                if (
                    quantity.get("code", quantity.get("unit")) == _MINUTES
                    and _SHORTEST <= quantity.get("value", 0) <= _LONGEST
                ):
                    return float(quantity["value"])
    return float(rooms_data()["slots"]["minutes"])


def _week(room: Resource | None) -> dict[str, Sequence[tuple[time, time]]]:
    stated: list[Any] = (room or {}).get("hoursOfOperation", [])
    if not stated:
        return dict(usual_week())
    week: dict[str, list[tuple[time, time]]] = {}
    for entry in stated:
        opens, closes = (_MIDNIGHT if entry.get("allDay") else _clock(entry.get(name)) for name in _ENDS)
        for day in entry.get("daysOfWeek") or usual_week():  # hours of no day in particular are those of every day
            week.setdefault(day, []).append((opens, closes))
    return dict(week)


def _clock(said: str | None) -> time:
    """A FHIR time; a leap second is read as the second before it, as Python knows none."""
    return time.fromisoformat(said.replace(":60", ":59")) if said else _MIDNIGHT
