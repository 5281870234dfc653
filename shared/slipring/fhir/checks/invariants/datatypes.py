"""Invariants of the data types that every resource is made of."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from slipring.fhir.checks.invariants.invariant import Node, given, invariant
from slipring.fhir.checks.invariants.moments import after

_UCUM = "http://unitsofmeasure.org"


@cache
def _simple_quantities() -> tuple[str, ...]:
    official = json.loads((Path(__file__).parent / "official.json").read_text(encoding="utf-8"))
    return tuple(official["simple_quantities"])


@invariant("per-1", "Period")
def period_ends_after_it_starts(period: Node) -> bool:
    """Only a start that is surely later than the end is wrong."""
    start, end = period.get("start"), period.get("end")
    return start is None or end is None or not after(start, end)


@invariant("qty-3", "Quantity", "Age", "Count", "Distance", "Duration")
def unit_code_has_a_system(quantity: Node) -> bool:
    """A code without a system says nothing."""
    return "code" not in quantity or given(quantity, "system")


@invariant("sqty-1", *_simple_quantities())
def simple_quantity_has_no_comparator(quantity: Node) -> bool:
    """Where a plain amount is wanted, "less than" is none."""
    return not given(quantity, "comparator")


@invariant("age-1", "Age")
def age_is_positive_and_in_units_of_time(age: Node) -> bool:
    """A value needs a code, a system must be UCUM."""
    value = age.get("value")
    return _coded_in_ucum(age) and (value is None or value > 0)


@invariant("dis-1", "Distance")
def distance_is_in_units_of_length(distance: Node) -> bool:
    """A value needs a code, a system must be UCUM."""
    return _coded_in_ucum(distance)


@invariant("drt-1", "Duration")
def duration_is_in_units_of_time(duration: Node) -> bool:
    """A code needs a value and must be of UCUM."""
    return not given(duration, "code") or (duration.get("system") == _UCUM and given(duration, "value"))


@invariant("cnt-3", "Count")
def count_is_whole(count: Node) -> bool:
    """A value needs the code 1 and has no decimal point."""
    value = count.get("value")
    whole = value is None or "." not in str(value)
    return _coded_in_ucum(count) and count.get("code", "1") == "1" and whole


def _coded_in_ucum(quantity: Node) -> bool:
    if given(quantity, "value") and not given(quantity, "code"):
        return False
    return not given(quantity, "system") or quantity.get("system") == _UCUM


@invariant("rng-2", "Range")
def range_is_not_upside_down(found: Node) -> bool:
    """Amounts in different units are not compared."""
    low, high = found.get("low"), found.get("high")
    if low is None or high is None or "value" not in low or "value" not in high:
        return True
    unit = "code" if "code" in low or "code" in high else "unit"
    if low.get(unit) != high.get(unit) or low.get("system") != high.get("system"):
        return True
    return bool(low["value"] <= high["value"])


@invariant("rat-1", "Ratio")
def ratio_has_both_halves(ratio: Node) -> bool:
    """Both, or an extension that says why there is none."""
    return ("numerator" in ratio) == ("denominator" in ratio) and ("numerator" in ratio or "extension" in ratio)


@invariant("cpt-2", "ContactPoint")
def contact_value_says_its_kind(contact: Node) -> bool:
    """A number alone could be a telephone or a pager."""
    return not given(contact, "value") or given(contact, "system")


@invariant("att-1", "Attachment")
def attached_data_says_its_type(attachment: Node) -> bool:
    """Nobody can open bytes of an unknown kind."""
    return not given(attachment, "data") or given(attachment, "contentType")


@invariant("exp-1", "Expression")
def expression_is_written_or_referred_to(expression: Node) -> bool:
    """One of the two."""
    return given(expression, "expression") or given(expression, "reference")


@invariant("drq-1", "DataRequirementCodeFilter")
def code_filter_has_one_way(code_filter: Node) -> bool:
    """A path or a search parameter."""
    return given(code_filter, "path") != given(code_filter, "searchParam")


@invariant("drq-2", "DataRequirementDateFilter")
def date_filter_has_one_way(date_filter: Node) -> bool:
    """A path or a search parameter."""
    return given(date_filter, "path") != given(date_filter, "searchParam")
