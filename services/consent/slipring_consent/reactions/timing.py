"""How long after the injection a reaction began: acute, late or very late. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from slipring.fhir.service import Resource
from slipring.rules.finding import Limit
from slipring.rules.limits import Limits

from slipring_consent.reading import moment

NAMES = {
    "acute": ("急性", "acute"),
    "late": ("迟发", "late"),
    "very-late": ("极迟发", "very late"),
}


def timing(event: Resource, injection: Resource, limits: Limits, zone: str) -> tuple[str, timedelta] | None:
    """acute, late or very-late and the time between; None where one of the two times is no moment, or onset comes first."""
    return between(given_at(injection, zone), began_at(event, zone), limits)


def between(given: datetime | None, began: datetime | None, limits: Limits) -> tuple[str, timedelta] | None:
    """The same of two moments."""
    if began is None or given is None or began < given:
        return None
    after = began - given
    if after <= timedelta(minutes=int(limits.limit("reaction.acute_minutes").value)):
        return "acute", after
    return ("late" if after <= timedelta(hours=int(limits.limit("reaction.late_hours").value)) else "very-late"), after


def in_words(code: str, after: timedelta) -> str:
    """In Chinese, as the national report takes it: 急性，给药后 12 分钟."""
    minutes = int(after.total_seconds() // 60)
    long = f"{minutes} 分钟" if minutes < 120 else f"{minutes // 60} 小时"
    return f"{NAMES[code][0]}，给药后 {long}"


def began_at(event: Resource, zone: str) -> datetime | None:
    """When a reaction began; None where that is no moment."""
    return _moment(event.get("date"), zone)


def given_at(injection: Resource, zone: str) -> datetime | None:
    """When an injection began; None where that is no moment."""
    return _moment(injection.get("effectiveDateTime") or injection.get("effectivePeriod", {}).get("start"), zone)


def bounds(limits: Limits) -> dict[str, Limit | None]:
    """Until when a reaction is one of each kind, by the limit that says so; the last has no end."""
    return {
        "acute": limits.limit("reaction.acute_minutes"),
        "late": limits.limit("reaction.late_hours"),
        "very-late": None,
    }


def _moment(text: Any, zone: str) -> datetime | None:
    return moment(text, zone) if isinstance(text, str) and "T" in text else None  # a day alone says no time
