"""What the desk knows about the rescue equipment that counts for one injection: reads only, facts out."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from slipring.fhir.service import Desk, Resource
from slipring.rules.months import months_later

from slipring_consent.department import gate_policy_of, limits_of, settings_of, today
from slipring_consent.readiness.facts import CART_CHECK, CRASH_CART, ReadinessFacts, cart_facts, is_cart_check
from slipring_consent.reading import reference_of

_OVER = frozenset({"cancelled", "entered-in-error", "failed"})


async def readiness_known(exam: str, desk: Desk) -> ReadinessFacts:
    """What READINESS_RULES weigh for an injection of this exam (ServiceRequest/...).

    The cart in the room of the exam's scanner counts; where none stands there, or the room is not known, any of the
    department's. Of several the best one counts: one cart in order is enough.
    """
    room = await _room(exam, desk)
    devices = await _carts(f"&location={room}", desk) if room else []
    at_the_room = bool(devices)
    devices = devices or await _carts("", desk)
    carts = [await _checked(device, desk) for device in devices]
    day, months = today(desk), int(limits_of(desk).limit("readiness.check_months").value)
    best = max(carts, key=lambda cart: _rank(cart, day, months), default=ReadinessFacts(cart=""))
    policy = await gate_policy_of(desk)
    return replace(best, at_the_room=at_the_room, mode=policy.readiness, policy=policy.limit)


async def _room(exam: str, desk: Desk) -> str:
    """The Location of the scanner that the exam is booked on; empty when nobody knows it."""
    steps = await desk.search(steps_of(exam)) if exam else []
    booked = [one for one in steps if one.resource.get("status") not in _OVER]
    newest = max(booked, key=lambda one: one.updated_at, default=None)
    scanner = reference_of(newest.resource.get("owner")) if newest else ""
    device = await desk.read(scanner) if scanner.startswith("Device/") else None
    return reference_of(device.resource.get("location")) if device else ""


def steps_of(exam: str) -> str:
    """The search for where and when an exam is booked."""
    return f"Task?focus={exam}&code=scheduled-step"


async def _carts(narrowed: str, desk: Desk) -> list[Resource]:
    found = await desk.search(f"Device?type={CRASH_CART}{narrowed}")
    return [one.resource for one in found if one.resource.get("status", "active") == "active"]


async def _checked(device: Resource, desk: Desk) -> ReadinessFacts:
    reference = f"Device/{device['id']}"
    forms = await desk.search(f"QuestionnaireResponse?subject={reference}&questionnaire={CART_CHECK}")
    checks = [one.resource for one in forms if is_cart_check(one.resource, reference)]
    return cart_facts(reference, checks, settings_of(desk).time_zone)


def _rank(cart: ReadinessFacts, day: date, months: int) -> tuple[bool, bool, bool, date]:
    """Carts compared: whole and in date before checked in time before checked at all."""
    checked_on = cart.checked_on or date.min
    in_time = cart.checked_on is not None and day <= months_later(checked_on, months)
    return not cart.faults, in_time, not cart.expired(day), checked_on
