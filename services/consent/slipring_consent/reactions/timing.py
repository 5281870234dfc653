"""How long after the injection a reaction began: acute, late or very late. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from slipring.fhir.service import Resource
from slipring.rules.limits import Limits

from slipring_consent.reading import moment

NAMES = {
    "acute": ("急性", "acute"),
    "late": ("迟发", "late"),
    "very-late": ("极迟发", "very late"),
}


def timing(event: Resource, injection: Resource, limits: Limits, zone: str) -> tuple[str, timedelta] | None:
    """acute, late or very-late and the time between; None where one of the two times is no moment, or onset comes first."""
    began, given = _moment(event.get("date"), zone), _moment(_given(injection), zone)
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


def _given(injection: Resource) -> Any:
    return injection.get("effectiveDateTime") or injection.get("effectivePeriod", {}).get("start")


def _moment(text: Any, zone: str) -> Any:
    return moment(text, zone) if isinstance(text, str) and "T" in text else None  # a day alone says no time
