"""A roster as Schedule and Slot: what they say, and what is wrong with one.

Schedule: `serviceType` the office (ladder-target), `actor` the members in the order of their turns and the places (Location) it is for,
extension `on-call-rotation` the handover. Slot: `start`, `end`, extension `on-call-person`, `busy` once it counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from slipring.fhir.outcome import Issue
from slipring.fhir.service import CANONICAL, Desk, Resource, Stored

from slipring_critical.cases.facts import code_of, reference_of
from slipring_critical.directory.roster import STEPS, Roster, Rotation, Shift, policy
from slipring_critical.ladders.record import moment
from slipring_critical.ladders.targets import TARGET, offices

ROTATION = f"{CANONICAL}/StructureDefinition/on-call-rotation"
ON_CALL = f"{CANONICAL}/StructureDefinition/on-call-person"
INSTEAD_OF = f"{CANONICAL}/StructureDefinition/on-call-instead-of"
SWAP = f"{CANONICAL}/identifier/swap"
ROSTERS = f"Schedule?active=true&service-type={TARGET}|"
ASKED, COUNTS = "busy-tentative", "busy"
_PEOPLE = ("Practitioner/", "PractitionerRole/")


def is_roster(schedule: Resource) -> bool:
    """Whether a Schedule says who is on call for an office."""
    return any(code_of(one, TARGET) for one in schedule.get("serviceType", []))


def members(schedule: Resource) -> list[str]:
    """Its members in the order of their turns."""
    return [who for who in map(reference_of, schedule.get("actor", [])) if who.startswith(_PEOPLE)]


def roster_in(stored: Stored, zone: tzinfo, slots: Iterable[Stored] = ()) -> Roster:
    """The roster of a Schedule without faults, with the shifts of its Slots; its days are those of `zone`."""
    schedule = stored.resource
    horizon = schedule.get("planningHorizon", {})
    return Roster(
        reference=stored.reference,
        target=next(code_of(one, TARGET) for one in schedule["serviceType"]),
        places=frozenset(who for who in map(reference_of, schedule["actor"]) if who.startswith("Location/")),
        rotation=_rotation(schedule),
        since=moment(horizon.get("start"), zone=zone),
        until=moment(horizon.get("end"), last=True, zone=zone),
        shifts=tuple(shift for one in slots if (shift := shift_in(one))),
    )


def shift_in(slot: Stored) -> Shift | None:
    """The shift of a Slot; None when it does not count, because it is only asked for or was taken back."""
    tree = slot.resource
    person = person_of(tree, ON_CALL)
    if tree.get("status") != COUNTS or not person:
        return None
    return Shift(*hours_of(tree), person, slot.reference, slot.updated_at, person_of(tree, INSTEAD_OF))


def hours_of(slot: Resource) -> tuple[datetime, datetime]:
    """From when to when a Slot without faults lasts; a leap second is the one before it."""
    start, end = moment(slot["start"]), moment(slot["end"])
    if start is None or end is None:
        raise ValueError("a Slot without hours")
    return start, end


def person_of(slot: Resource, url: str) -> str:
    """Whom an extension of a Slot names, or ''."""
    found = (reference_of(one.get("valueReference")) for one in slot.get("extension", []) if one.get("url") == url)
    return next(found, "")


async def rosters(desk: Desk, start: datetime, end: datetime) -> list[Roster]:
    """Every roster that is active, with its shifts of these hours."""
    found = [one for one in await desk.search(ROSTERS) if not one.source and is_roster(one.resource)]
    return [await with_shifts(desk, one, start, end) for one in found]


async def with_shifts(desk: Desk, schedule: Stored, start: datetime, end: datetime) -> Roster:
    """One roster with its shifts of these hours."""
    earliest = start - timedelta(days=policy()["longest-shift-days"])
    # A shift that began so long ago is over.
    since, until = (
        at.isoformat(timespec="seconds").replace("+00:00", "Z") for at in (earliest, end + timedelta(seconds=1))
    )
    slots = await desk.search(f"Slot?schedule={schedule.reference}&start=ge{since}&start=lt{until}&status={COUNTS}")
    roster = roster_in(schedule, desk.settings.zone, slots)
    return replace(roster, shifts=tuple(one for one in roster.shifts if one.end > start))


def roster_faults(schedule: Resource) -> Iterator[Issue]:
    """What is wrong with the shape of a roster, each fault at its element."""
    served = [code_of(one, TARGET) for one in schedule.get("serviceType", [])]
    if len(served) != 1 or served[0] not in offices():
        known = "、".join(offices())
        yield _fault("Schedule.serviceType", "office", f"须且仅须指明一个岗位；可用：{known}。",
                     f"It names exactly one office; known: {', '.join(offices())}.")  # fmt: skip
    for place, one in enumerate(schedule.get("actor", [])):
        if not reference_of(one).startswith((*_PEOPLE, "Location/")):
            yield _fault(f"Schedule.actor[{place}]", "actor", "须为人员（Practitioner、PractitionerRole）或地点（Location）。",
                         "It is a person (Practitioner, PractitionerRole) or a place (Location).")  # fmt: skip
    found = [place for place, one in enumerate(schedule.get("extension", [])) if one.get("url") == ROTATION]
    at = f"Schedule.extension[{found[0]}]" if found else "Schedule.extension"
    if len(found) > 1 or (found and _rotation(schedule) is None):
        yield _fault(at, "rotation", "轮班须给出 handover（daily 或 weekly）、at（时刻）和 from（起始日）。",
                     "A rotation gives handover (daily or weekly), at (an hour) and from (a day).")  # fmt: skip
    elif found and not members(schedule):
        yield _fault("Schedule.actor", "members", "轮班至少有一名成员。", "A rotation has at least one member.")


def shift_faults(slot: Resource) -> Iterator[Issue]:
    """What is wrong with the shape of a shift."""
    if not person_of(slot, ON_CALL).startswith(_PEOPLE):
        yield _fault("Slot.extension", "shift-person", "须以 on-call-person 指明值班人员。",
                     "It names who is on call (extension on-call-person).")  # fmt: skip
    start, end = (moment(slot.get(name)) for name in ("start", "end"))
    longest = policy()["longest-shift-days"]
    if start is None or end is None or not start < end <= start + timedelta(days=longest):
        yield _fault("Slot.end", "shift-hours", f"结束须晚于开始，且不超过 {longest} 天。",
                     f"It ends after it begins, and within {longest} days.")  # fmt: skip


def _rotation(schedule: Resource) -> Rotation | None:
    found = next((one for one in schedule.get("extension", []) if one.get("url") == ROTATION), None)
    if found is None:
        return None
    parts = {part.get("url"): part for part in found.get("extension", [])}
    days = STEPS.get(_value(parts.get("handover")))
    try:
        at, first = time.fromisoformat(_value(parts.get("at"))), date.fromisoformat(_value(parts.get("from")))
    except ValueError:
        return None
    return Rotation(tuple(members(schedule)), days, at, first) if days else None


def _value(part: Mapping[str, Any] | None) -> str:
    return next((str(value) for name, value in (part or {}).items() if name.startswith("value")), "")


def _fault(at: str, detail: str, zh: str, en: str) -> Issue:
    return Issue("business-rule", zh=zh, en=en, at=at, detail=f"critical.roster-{detail}")
