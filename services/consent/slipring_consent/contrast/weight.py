"""How heavy and how old the patient is, for the dose: the newest weight that stands, and the age as far as it is known. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from slipring.fhir.search.moment import interval
from slipring.fhir.service import Resource

from slipring_consent.contrast.amounts import KG, amount
from slipring_consent.reading import codes_in, moment

LOINC = "http://loinc.org"
WEIGHT_CODES = ("29463-7", "3141-9", "3142-7", "8350-1")  # body weight; measured, stated, with clothes (LOINC)
_STANDS = frozenset({"final", "amended", "corrected"})
_LEAST_KG, _MOST_KG = Decimal("0.3"), Decimal(400)  # outside of them it is no weight of a person


class Weight(NamedTuple):
    """A weight, and when it was taken."""

    kg: Decimal
    taken_at: datetime


def weight_search(patients: str) -> str:
    """The search for the weights of a person."""
    return f"Observation?patient={patients}&code={','.join(f'{LOINC}|{code}' for code in WEIGHT_CODES)}"


def newest_weight(observations: Iterable[Resource], now: datetime, time_zone: str) -> Weight | None:
    """The newest weight that stands; of two at one moment the lower."""
    found = [one for one in (_weight(each, time_zone) for each in observations) if one and one.taken_at <= now]
    newest = max((one.taken_at for one in found), default=None)
    return min((one for one in found if one.taken_at == newest), default=None)


def ages(birth_date: str, now: datetime, time_zone: str) -> tuple[int, ...]:
    """The youngest and the oldest the patient can be, in whole years; empty when no birth date is known.

    >>> ages("2010", datetime(2026, 3, 2, tzinfo=ZoneInfo("UTC")), "UTC")
    (15, 16)
    """
    zone = ZoneInfo(time_zone)
    born = interval(birth_date, zone) if birth_date else None
    if born is None or born.low > now:
        return ()
    today = now.astimezone(zone).date()
    last = (born.high - timedelta(microseconds=1)).astimezone(zone).date()
    return max(_years(last, today), 0), _years(born.low.astimezone(zone).date(), today)


def _weight(observation: Resource, time_zone: str) -> Weight | None:
    codes = {code for system, code in codes_in(observation.get("code")) if system == LOINC}
    taken = observation.get("effectiveDateTime") or observation.get("effectiveInstant")
    at = moment(taken or observation.get("effectivePeriod", {}).get("end"), time_zone)
    kg = amount(observation.get("valueQuantity"), KG)
    if observation.get("status") not in _STANDS or not codes & set(WEIGHT_CODES) or at is None or kg is None:
        return None
    return Weight(kg, at) if _LEAST_KG <= kg <= _MOST_KG else None


def _years(born: date, today: date) -> int:
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))
