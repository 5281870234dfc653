"""Test results of a scanner as facts: read from Observations, held against limits, with the day they are due. Pure."""

from __future__ import annotations

import tomllib
from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from slipring.fhir.service import CANONICAL, Resource
from slipring.rules.finding import Limit
from slipring.rules.limits import Limits, UnknownLimit

from slipring_order.reading import codes, has_code, moment
from slipring_order.rooms.scanner import SCANNER_PROPERTY

TEST_SYSTEM = f"{CANONICAL}/CodeSystem/scanner-test"
KIND_SYSTEM = f"{CANONICAL}/CodeSystem/scanner-test-kind"
NEWEST_EDITION = "ws519-2019"
CONSTANCY = "constancy"
_SETS_BASELINE = frozenset({"acceptance", "status"})
_COUNTS = frozenset({"final", "amended", "corrected"})
_ABNORMAL = frozenset({"A", "AA", "H", "HH", "L", "LL", "POS"})
_DATA = Path(__file__).parents[1] / "data" / "scanner_tests.toml"


@dataclass(frozen=True, slots=True)
class Result:
    """One value measured on a scanner."""

    reference: str  # Observation/...
    test: str
    kind: str
    at: datetime
    value: Decimal | None  # None: nothing that can be compared
    abnormal: bool = False  # whoever tested says so himself
    nominal: Decimal | None = None  # what it should be, where rows of limits go by it


@dataclass(frozen=True, slots=True)
class ScannerTest:
    """How a scanner stands in one test."""

    test: str
    zh: str
    en: str
    last: Result | None = None
    baseline: Decimal | None = None
    passes: bool | None = None  # None: nothing to compare with
    limit: Limit | None = None
    last_pass_at: datetime | None = None
    interval: Limit | None = None
    due_on: date | None = None
    today: date = date.min


@cache
def tests() -> Mapping[str, Mapping[str, Any]]:
    """What is tested, by code."""
    return dict(_data()["tests"])


def names_of_tests() -> Mapping[str, Mapping[str, str]]:
    """The tests with their names, `zh` and `en`."""
    return {code: {"zh": entry["zh"], "en": entry["en"]} for code, entry in tests().items()}


def kinds() -> Mapping[str, Mapping[str, str]]:
    """The kinds of test with their names."""
    return dict(_data()["kinds"])


def result_of(observation: Resource, zone: ZoneInfo) -> Result | None:
    """The test result that an Observation states; None when it is none, or does not count."""
    code = next((c for c in tests() if has_code(observation.get("code"), TEST_SYSTEM, c)), "")
    at = moment(_when(observation), zone)
    if not code or at is None or observation.get("status") not in _COUNTS:
        return None
    kind = next((k for k in codes(observation.get("method")) if k in kinds()), CONSTANCY)
    said = {code for concept in observation.get("interpretation", []) for code in codes(concept)}
    value, nominal = _value(observation, code), _nominal(observation, code)
    reference = f"Observation/{observation.get('id', '')}"
    return Result(reference, code, kind, at, value, bool(said & _ABNORMAL), nominal)


def standing(
    results: Iterable[Result], at: datetime, limits: Limits, edition: str, zone: ZoneInfo
) -> list[ScannerTest]:
    """How a scanner stands in every test at a moment, by what was measured up to then."""
    known = sorted((one for one in results if one.at <= at), key=lambda one: (one.at, one.reference))
    today = at.astimezone(zone).date()
    first_on = known[0].at.astimezone(zone).date() if known else None
    return [
        _in_test(code, [one for one in known if one.test == code], first_on, today, limits, edition, zone)
        for code in tests()
    ]


def _in_test(
    code: str,
    results: Sequence[Result],
    first_on: date | None,
    today: date,
    limits: Limits,
    edition: str,
    zone: ZoneInfo,
) -> ScannerTest:
    names, baseline, last_pass = tests()[code], None, None
    passes: bool | None = None
    limit: Limit | None = None
    for one in results:
        limit = _limit(limits, edition, _row(one), one.kind)
        passes = _passes(one, limit, baseline)
        if passes is not False:
            last_pass = one.at
            if one.kind in _SETS_BASELINE and one.value is not None:
                baseline = one.value
    interval = _found(limits, f"interval.{code}")
    counted_from = last_pass.astimezone(zone).date() if last_pass else first_on
    due_on = _due(counted_from, interval, limits) if counted_from and interval else None
    last = results[-1] if results else None
    return ScannerTest(
        code, names["zh"], names["en"], last, baseline, passes, limit, last_pass, interval, due_on, today
    )


def _passes(result: Result, limit: Limit | None, baseline: Decimal | None) -> bool | None:
    if result.abnormal:
        return False
    if limit is None or result.value is None:
        return None
    rule: Mapping[str, Any] = limit.value
    value = _rounded(result.value, int(tests()[result.test]["decimals"]))
    if rule["rule"] in ("below", "above", "at-most"):
        than = Decimal(str(rule["than"]))
        return {"below": value < than, "above": value > than, "at-most": value <= than}[rule["rule"]]
    if rule["of"] == "nominal":
        return abs(value) <= _width(rule, result.nominal or Decimal(0))
    if rule["of"] == "baseline" and baseline is None:
        return None
    middle = (
        _rounded(baseline, int(tests()[result.test]["decimals"]))
        if rule["of"] == "baseline" and baseline
        else Decimal(0)
    )
    return abs(value - middle) <= _width(rule, middle)


def _width(rule: Mapping[str, Any], middle: Decimal) -> Decimal:
    by = Decimal(str(rule["by"]))
    if rule["rule"] == "within-percent":
        return abs(middle) * by / 100
    if rule["rule"] == "within-larger":
        return max(by, abs(middle) * Decimal(str(rule["percent"])) / 100)
    return by


def _due(last_on: date, interval: Limit, limits: Limits) -> date:
    """The last day on which the scanner may still go untested: calendar months, clamped to the month's end, and grace."""
    months = int(interval.value)
    year, month = divmod(last_on.year * 12 + last_on.month - 1 + months, 12)
    due = date(year, month + 1, min(last_on.day, monthrange(year, month + 1)[1]))
    grace = _found(limits, f"grace.{months}")
    return due + timedelta(days=int(grace.value) if grace else 0)


def _row(result: Result) -> str:
    """The row of limits that a result is held against: its item's, or that of its nominal size."""
    bands = _data()["bands"].get(result.test, {})
    if result.nominal is not None and result.kind in bands.get("kinds", ()):
        for band in bands["rows"]:
            if result.nominal < band.get("below", 0) or result.nominal <= band.get("to", 0):
                return str(band["row"])
    return result.test


def _limit(limits: Limits, edition: str, code: str, kind: str) -> Limit | None:
    return _found(limits, f"{edition}.{code}.{kind}") or _found(limits, f"{NEWEST_EDITION}.{code}.{kind}")


def _found(limits: Limits, name: str) -> Limit | None:
    try:
        return limits.limit(name)
    except UnknownLimit:
        return None


def _value(observation: Resource, code: str) -> Decimal | None:
    quantity = observation.get("valueQuantity", {})
    known = {quantity.get("code"), quantity.get("unit")} & set(tests()[code]["units"])
    if not known or "value" not in quantity or quantity.get("comparator"):
        return None
    return Decimal(str(quantity["value"]))


def _nominal(observation: Resource, code: str) -> Decimal | None:
    wanted = _data()["bands"].get(code, {}).get("component", "")
    for component in observation.get("component", []) if wanted else ():
        quantity = component.get("valueQuantity", {})
        if has_code(component.get("code"), SCANNER_PROPERTY, wanted) and "value" in quantity:
            known = {quantity.get("code"), quantity.get("unit")} & set(tests()[code]["units"])
            return Decimal(str(quantity["value"])) if known else None
    return None


def _rounded(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _when(observation: Resource) -> Any:
    period = observation.get("effectivePeriod", {})
    return (
        observation.get("effectiveDateTime")
        or observation.get("effectiveInstant")
        or period.get("end")
        or period.get("start")
        or observation.get("issued")
    )


@cache
def _data() -> Mapping[str, Any]:
    with _DATA.open("rb") as file:
        return tomllib.load(file)
