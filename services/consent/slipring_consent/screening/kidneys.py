"""Which renal function counts: the newest sample, reported as eGFR or computed from its creatinine. Pure.

A sample that cannot be computed is not passed over for an older value: what is missing is asked. A result that nobody
has verified yet, or that nothing dates, clears nobody; where it is lower than the one that counts, that one is in doubt.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from slipring.fhir.search.moment import Interval
from slipring.fhir.service import Resource

from slipring_consent.catalogue import data_file
from slipring_consent.reading import codes_in, span
from slipring_consent.screening.person import Person
from slipring_consent.screening.renal import (
    ckd_epi,
    creatinine_umol_l,
    egfr_ml_min,
    height_cm,
    holds_at,
    is_adult,
    schwartz,
)

LOINC = "http://loinc.org"
STANDING = frozenset({"final", "amended", "corrected"})
_UNVERIFIED = "preliminary"
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "": ""}  # a higher creatinine is a lower rate
_WRITTEN = re.compile(r"\s*(?P<comparator>[<>]=?)?\s*(?P<value>\d+(?:\.\d+)?)\s*(?P<unit>\D.*)?")


@dataclass(frozen=True, slots=True)
class Renal:
    """The renal function that counts, or why there is none."""

    ml_min: Decimal | None = None
    comparator: str = ""
    formula: str = ""
    taken_at: datetime | None = None
    missing: str = ""  # no-sample | birth-date | sex | height | unit | formula | preliminary | time


@dataclass(frozen=True, slots=True)
class _Sample:
    taken: Interval
    renal: Renal = field(default_factory=Renal)


def codes_of_renal_function() -> frozenset[str]:
    """The LOINC codes that renal function is read from, with the height that a child's needs."""
    data = data_file("renal.toml")
    return frozenset([*data["egfr"]["codes"], *data["creatinine"]["codes"], *data["height"]["codes"]])


def renal_function(
    observations: Iterable[Resource], person: Person, *, formula: str, now: datetime, time_zone: str
) -> Renal:
    """The newest sample up to now; of two of one moment the one with a value counts, and of two values the lower."""
    told = list(observations)
    held = [one for one in told if one.get("status") in STANDING]
    height = _height(held, now, time_zone)
    samples, doubts = [], []
    for one in told:
        taken = taken_at(one, time_zone)
        if one.get("status") not in (*STANDING, _UNVERIFIED) or (taken is not None and taken.low > now):
            continue
        sample = _sample(one, taken or Interval(now, now), person, height, formula, time_zone)
        if sample is None:
            continue
        if taken is None:
            doubts.append(replace(sample.renal, taken_at=None, missing="time"))
        elif one.get("status") == _UNVERIFIED:
            doubts.append(replace(sample.renal, missing=_UNVERIFIED))
        else:
            samples.append(sample)
    return _unless_in_doubt(_newest(samples), doubts)


def taken_at(observation: Resource, time_zone: str) -> Interval | None:
    """When a sample was taken; a laboratory that only says when it told the result has it dated by that."""
    return span(observation, "effective", time_zone) or span({"atInstant": observation.get("issued")}, "at", time_zone)


def _newest(samples: list[_Sample]) -> Renal:
    if not samples:
        return Renal(missing="no-sample")
    newest = max(samples, key=lambda one: one.taken.low).taken
    together = [one for one in samples if one.taken.low < newest.high and newest.low < one.taken.high]
    valued = [one.renal for one in together if one.renal.ml_min is not None]
    if not valued:
        return next(one.renal for one in samples if one.taken == newest)
    at = max(one.taken_at for one in valued if one.taken_at)
    return min((one for one in valued if one.taken_at == at), key=lambda one: (one.ml_min, one.comparator))


def _unless_in_doubt(counts: Renal, doubts: Iterable[Renal]) -> Renal:
    """What counts; a doubt about it instead, where a lower result, verified or dated, could take its place."""
    for doubt in doubts:
        older = doubt.taken_at and counts.taken_at and doubt.taken_at <= counts.taken_at
        lower = counts.ml_min is not None and doubt.ml_min is not None and doubt.ml_min < counts.ml_min
        if counts.missing == "no-sample" or (lower and not older):
            return Renal(taken_at=doubt.taken_at, missing=doubt.missing)
    return counts


def _sample(
    observation: Resource, taken: Interval, person: Person, height: Decimal | None, formula: str, zone: str
) -> _Sample | None:
    """One Observation as renal function; None where it is none."""
    data = data_file("renal.toml")
    codes = {code for system, code in codes_in(observation.get("code")) if system == LOINC}
    by = next((data["egfr"]["codes"][code] for code in sorted(codes) if code in data["egfr"]["codes"]), None)
    if by is None and not codes & set(data["creatinine"]["codes"]):
        return None
    quantity = _quantity(observation)
    if quantity is None:
        return None
    value, units, comparator = quantity
    convert = egfr_ml_min if by else creatinine_umol_l
    amount = next((found for unit in units if (found := convert(value, unit)) is not None), None)
    if amount is None:
        return _Sample(taken, Renal(taken_at=taken.low, missing="unit"))
    if by:
        age = person.age_at(taken.low, zone)
        if age is not None and not holds_at(by, age):
            return _Sample(taken, Renal(taken_at=taken.low, missing="formula"))
        return _Sample(taken, Renal(amount, comparator, by, taken.low))
    return _Sample(taken, _computed(amount, _FLIPPED[comparator], person, height, formula, taken.low, zone))


def creatinine_told(observation: Resource) -> Decimal | None:
    """The creatinine of an Observation in umol/l; None where it is none, or only a bound."""
    codes = {code for system, code in codes_in(observation.get("code")) if system == LOINC}
    quantity = _quantity(observation) if codes & set(data_file("renal.toml")["creatinine"]["codes"]) else None
    value, units, comparator = quantity or (Decimal(0), [], "")
    return next((x for unit in units if not comparator and (x := creatinine_umol_l(value, unit)) is not None), None)


def _computed(
    umol_l: Decimal, comparator: str, person: Person, height: Decimal | None, formula: str, at: datetime, zone: str
) -> Renal:
    """The rate of a creatinine by the formula of the age at the sample; what it lacks is named, never assumed."""
    age = person.age_at(at, zone)
    if age is None:
        return Renal(taken_at=at, missing="birth-date")
    if not is_adult(age):
        if not holds_at("schwartz-2009", age):
            return Renal(taken_at=at, missing="formula")
        if height is None:
            return Renal(taken_at=at, missing="height")
        return Renal(schwartz(umol_l, height), comparator, "schwartz-2009", at)
    if not person.sex:
        return Renal(taken_at=at, missing="sex")
    return Renal(ckd_epi(formula, umol_l, age, person.sex), comparator, formula, at)


def _height(observations: Iterable[Resource], now: datetime, zone: str) -> Decimal | None:
    """The newest height in cm, up to now."""
    found = []
    for one in observations:
        codes = {code for system, code in codes_in(one.get("code")) if system == LOINC}
        at, quantity = span(one, "effective", zone), _quantity(one)
        if (
            at is None
            or at.low > now
            or quantity is None
            or not codes & set(data_file("renal.toml")["height"]["codes"])
        ):
            continue
        value, units, _ = quantity
        found += [(at.low, cm) for unit in units if (cm := height_cm(value, unit)) is not None][:1]
    return max(found)[1] if found else None


def _quantity(observation: Resource) -> tuple[Decimal, list[str], str] | None:
    """Value, the ways its unit is spelt, and comparator; a laboratory's ">90" as text is read too."""
    written = observation.get("valueQuantity")
    if isinstance(written, dict) and written.get("value") is not None:
        units = [str(written[name]) for name in ("code", "unit") if written.get(name)]
        return Decimal(str(written["value"])), units, str(written.get("comparator", ""))
    text = unicodedata.normalize("NFKC", str(observation.get("valueString", ""))).replace("≥", ">=").replace("≤", "<=")
    match = _WRITTEN.fullmatch(text)
    if match is None:  # a value that cannot be read is one without a unit; no value at all is no sample
        return (Decimal(0), [], "") if any(name.startswith("value") for name in observation) else None
    return Decimal(match["value"]), [match["unit"]] if match["unit"] else [], match["comparator"] or ""
