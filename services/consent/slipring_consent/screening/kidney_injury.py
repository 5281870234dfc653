"""Acute kidney injury as samples show it: a creatinine that has risen so far so fast. Pure.

The limits are data (`data/renal.toml`, KDIGO 2012). Whoever is on dialysis rises between any two sessions, so of him it says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

from slipring.fhir.service import Resource

from slipring_consent.catalogue import data_file
from slipring_consent.screening.kidneys import STANDING, creatinine_told, taken_at


def has_risen(observations: Iterable[Resource], now: datetime, time_zone: str) -> bool:
    """Whether the newest creatinine, not long ago, is so much above one of the hours or days before it."""
    limits = data_file("renal.toml")["acute_rise"]
    samples = sorted(_samples(observations, now, time_zone))
    if not samples or now - samples[-1][0] > timedelta(days=limits["holds_days"]):
        return False
    at, newest = samples[-1]
    lately, within = timedelta(hours=limits["within_hours"]), timedelta(days=limits["within_days"])
    rise, times = Decimal(str(limits["rise_umol_l"])), Decimal(str(limits["times"]))
    return any(
        (at - earlier <= lately and newest - value >= rise) or (at - earlier <= within and newest >= value * times)
        for earlier, value in samples[:-1]
    )


def _samples(observations: Iterable[Resource], now: datetime, zone: str) -> Iterable[tuple[datetime, Decimal]]:
    """When each creatinine that stands was taken, and its value in umol/l; a bound is no value that could be compared."""
    for one in observations:
        taken, value = taken_at(one, zone), creatinine_told(one)
        if one.get("status") in STANDING and taken is not None and taken.low <= now and value is not None:
            yield taken.low, value
