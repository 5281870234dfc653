"""What is tested on a scanner, by which limits and at which intervals: the standard's editions as data. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from pathlib import Path
from typing import Any

from slipring.qc.equipment.schedule import Interval, stricter
from slipring.rules.finding import Limit
from slipring.rules.limits import Limits, UnknownLimit

NEWEST_EDITION = "ws519-2019"
CONSTANCY = "constancy"
SETS_BASELINE = frozenset({"acceptance", "status"})
_DATA = Path(__file__).parents[1] / "data" / "scanner_tests.toml"
_SHOWN = {"[hnsf'U]": "HU", "/cm": "lp/cm"}  # how a unit is read; the code is UCUM's
Bounds = tuple[Decimal | None, Decimal | None]


@cache
def tests() -> Mapping[str, Mapping[str, Any]]:
    """What is tested, by code."""
    return dict(_data()["tests"])


def unit_of(test: str) -> str:
    """A test's unit as it is read."""
    code = str(tests()[test]["units"][0])
    return _SHOWN.get(code, code)


def names_of_tests() -> Mapping[str, Mapping[str, str]]:
    """The tests with their names, `zh` and `en`."""
    return {code: {"zh": entry["zh"], "en": entry["en"]} for code, entry in tests().items()}


def spellings() -> Mapping[str, str]:
    """Units as people write them, with UCUM's code."""
    return dict(_data()["spellings"])


def possible(what: str) -> Mapping[str, Any]:
    """What can be measured, of a test or of the component it goes by: `above`, or `from`, and `to`, in the test's unit."""
    return dict(_data()["possible"][what])


def kinds() -> Mapping[str, Mapping[str, str]]:
    """The kinds of test with their names."""
    return dict(_data()["kinds"])


def editions() -> Mapping[str, Mapping[str, str]]:
    """The editions of the standard that a department may choose from, with their names."""
    return dict(_data()["editions"])


def from_images() -> Mapping[str, Mapping[str, Any]]:
    """The tests that images of a phantom give, with the item of the analysis (`slipring.qc.image`)."""
    return dict(_data()["images"])


def bands(code: str) -> Mapping[str, Any]:
    """The rows of limits that a test has by nominal size; empty where it has one row."""
    return dict(_data()["bands"].get(code, {}))


def row_of(code: str, kind: str, nominal: Decimal | None) -> str:
    """The row of limits that a value is held against: its item's, or that of its nominal size."""
    held = bands(code)
    if nominal is not None and kind in held.get("kinds", ()):
        for band in held["rows"]:
            if nominal < band.get("below", 0) or nominal <= band.get("to", 0):
                return str(band["row"])
    return code


def limit_of(limits: Limits, edition: str, row: str, kind: str) -> Limit | None:
    """What an edition asks for; what it does not say, the newest does."""
    return found(limits, f"{edition}.{row}.{kind}") or found(limits, f"{NEWEST_EDITION}.{row}.{kind}")


def interval_of(limits: Limits, edition: str, code: str) -> Interval | None:
    """A011's interval and the standard's; the stricter is applied (5.6.2.3)."""
    return stricter([found(limits, f"interval.{code}"), limit_of(limits, edition, "interval", code)])


def grace_of(limits: Limits, months: int) -> int:
    """Days of grace after a due date that comes round after so many months."""
    grace = found(limits, f"grace.{months}")
    return int(grace.value) if grace else 0


def passes(code: str, value: Decimal, limit: Limit, baseline: Decimal | None, nominal: Decimal | None) -> bool | None:
    """A value against its limit, rounded to the display first; None where there is no baseline to hold it against."""
    bounds = bounds_of(code, limit, baseline, nominal)
    if bounds is None:
        return None
    low, high = bounds
    shown = rounded(code, value)
    strict = limit.value["rule"] in ("below", "above")
    if strict:
        return (low is None or shown > low) and (high is None or shown < high)
    return (low is None or shown >= low) and (high is None or shown <= high)


def bounds_of(code: str, limit: Limit, baseline: Decimal | None, nominal: Decimal | None) -> Bounds | None:
    """The lowest and the highest value that a limit lets pass; None where it is relative to a baseline that is not there."""
    rule: Mapping[str, Any] = limit.value
    if rule["rule"] == "above":
        return Decimal(str(rule["than"])), None
    if rule["rule"] in ("below", "at-most"):
        return None, Decimal(str(rule["than"]))
    if rule["of"] == "nominal":
        width = _width(rule, nominal or Decimal(0))
        return -width, width
    if rule["of"] == "baseline" and baseline is None:
        return None
    middle = rounded(code, baseline) if rule["of"] == "baseline" and baseline is not None else Decimal(0)
    width = _width(rule, middle)
    return middle - width, middle + width


def rounded(code: str, value: Decimal) -> Decimal:
    """A value as it is displayed, half up."""
    return value.quantize(Decimal(1).scaleb(-int(tests()[code]["decimals"])), ROUND_HALF_UP)


def found(limits: Limits, name: str) -> Limit | None:
    """A limit by its name, or None."""
    try:
        return limits.limit(name)
    except UnknownLimit:
        return None


def _width(rule: Mapping[str, Any], middle: Decimal) -> Decimal:
    by = Decimal(str(rule["by"]))
    if rule["rule"] == "within-percent":
        return abs(middle) * by / 100
    if rule["rule"] == "within-larger":
        return max(by, abs(middle) * Decimal(str(rule["percent"])) / 100)
    return by


@cache
def _data() -> Mapping[str, Any]:
    with _DATA.open("rb") as file:
        return tomllib.load(file)
