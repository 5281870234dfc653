"""Vital signs of an injection: which of its Observations are some, and when they were taken."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from slipring.fhir.service import Desk, Resource, Stored

from slipring_consent.catalogue import data_file
from slipring_consent.department import limits_of, settings_of
from slipring_consent.reading import codes_in, moment

_WRONG = ("entered-in-error", "cancelled")


def are_vital_signs(observation: Resource) -> bool:
    """Whether an Observation tells blood pressure, pulse, oxygen saturation or another vital sign that stands."""
    known = data_file("vital_signs.toml")
    named = any(
        system == known["system"] and code in known["codes"] for system, code in codes_in(observation.get("code"))
    )
    return named and observation.get("status") not in _WRONG


async def signs_of(injection: str, desk: Desk) -> list[Stored]:
    """The vital signs taken about an injection, as `Observation.partOf` says."""
    found = await desk.search(f"Observation?part-of={injection}") if injection else []
    return [one for one in found if are_vital_signs(one.resource)]


def taken_at(observation: Stored, desk: Desk) -> datetime:
    """When they were taken; where that is not said, when they were stored."""
    said = observation.resource
    text = said.get("effectiveDateTime") or said.get("effectiveInstant") or said.get("effectivePeriod", {}).get("end")
    return moment(text, settings_of(desk).time_zone) or observation.updated_at


def near(moments: Iterable[datetime], at: datetime, desk: Desk) -> bool:
    """Whether one of them is close enough to a moment to speak for it."""
    within = timedelta(minutes=int(limits_of(desk).limit("observation.vital_signs_minutes").value))
    return any(abs(one - at) <= within for one in moments)
