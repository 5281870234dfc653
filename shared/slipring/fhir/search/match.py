"""Whether one resource meets a search, decided in memory with the same meaning as `store/query.py` gives in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from slipring.fhir.search.condition import AllOf, AnyOf, Condition
from slipring.fhir.search.criteria import Clause, Criteria
from slipring.fhir.search.index import Date, Quantity, Rows
from slipring.fhir.search.moment import interval
from slipring.fhir.search.values import (
    BelowValue,
    CodesValue,
    DateValue,
    QuantityValue,
    ReferenceValue,
    TextValue,
    TokenValue,
    Value,
)


def matches(criteria: Criteria, rows: Rows, resource: Mapping[str, Any], updated_at: datetime | None = None) -> bool:
    """Whether the resource with these rows is one that the search finds.

    `_lastUpdated` is judged by `updated_at`, or by `meta.lastUpdated` when it is not given.
    """
    if resource.get("resourceType") != criteria.type:
        return False
    return all(holds(clause, rows, resource, updated_at) for clause in criteria.clauses)


def holds(condition: Condition, rows: Rows, resource: Mapping[str, Any], updated_at: datetime | None = None) -> bool:
    """Whether the resource with these rows meets one condition; LookupError when they cannot tell."""
    if isinstance(condition, Clause):
        return _clauseholds(condition, rows, resource, updated_at)
    if isinstance(condition, AnyOf):
        return any(holds(one, rows, resource, updated_at) for one in condition.conditions)
    if isinstance(condition, AllOf):
        return all(holds(one, rows, resource, updated_at) for one in condition.conditions)
    raise LookupError("what lies behind a reference, or to whom it is shown, is not in the resource's own rows")


def _clauseholds(clause: Clause, rows: Rows, resource: Mapping[str, Any], updated_at: datetime | None) -> bool:
    if clause.parameter.code == "_id":
        return TokenValue(None, str(resource.get("id"))) in clause.values
    if clause.parameter.code == "_lastUpdated":
        found: list[Any] = _last_updated(clause.keys[0], resource, updated_at)
    else:
        found = [row for row in rows.families[clause.family] if row.parameter in clause.keys]
    if clause.modifier == "missing":
        return (not found) is clause.values[0]
    met = any(_meets(row, value, clause.modifier) for row in found for value in clause.values)
    return not met if clause.modifier == "not" else met


def _last_updated(key: str, resource: Mapping[str, Any], updated_at: datetime | None) -> list[Date]:
    if updated_at is None:
        meta = resource.get("meta")
        span = interval(meta.get("lastUpdated", "")) if isinstance(meta, dict) else None
        if span is None:
            return []
        updated_at = span.low
    return [Date(key, updated_at.astimezone(UTC), updated_at.astimezone(UTC) + timedelta(microseconds=1))]


def _meets(row: Any, value: Value, modifier: str) -> bool:
    if isinstance(value, TokenValue):
        return value.system in (None, row.system) and value.code in (None, row.code)
    if isinstance(value, ReferenceValue):
        right_type: bool = row.type != "" if value.type is None else row.type == value.type
        return right_type and bool(row.id == value.id)
    if isinstance(value, DateValue):
        return _lies(row.low, row.high, value)
    if isinstance(value, QuantityValue):
        return _in_unit(row, value) and _amounts(row, value)
    if isinstance(value, CodesValue):
        return (row.system, row.code) in value.codes
    if isinstance(value, BelowValue):
        return bool(row.code == value.url or row.code.startswith(f"{value.url}/"))
    return isinstance(value, TextValue) and _reads(row.folded, row.exact, value, modifier)


def _reads(folded: str, exact: str, value: TextValue, modifier: str) -> bool:
    if modifier == "exact":
        return exact == value.exact
    return value.folded in folded if modifier == "contains" else folded.startswith(value.folded)


def _lies(low: datetime, high: datetime, value: DateValue) -> bool:
    """How the row's interval lies to the value's, by prefix (R4 search, 3.1.1.4.6)."""
    match value.prefix:
        case "eq":
            return low >= value.low and high <= value.high
        case "ne":
            return low < value.low or high > value.high
        case "gt":
            return high > value.high
        case "lt":
            return low < value.low
        case "ge":
            return low >= value.low or high > value.high
        case "le":
            return high <= value.high or low < value.low
        case "sa":
            return low >= value.high
        case "eb":
            return high <= value.low
        case "ap":
            return low < value.high and high > value.low


def _in_unit(row: Quantity, value: QuantityValue) -> bool:
    if value.system not in (None, row.system):
        return False
    return value.code in (None, row.code) or (value.loose and value.code == row.unit)


def _amounts(row: Quantity, value: QuantityValue) -> bool:
    """How the row's closed interval lies to the value's, by prefix (R4 search, 3.1.1.4.5)."""
    match value.prefix:
        case "eq":
            return row.low >= value.low and row.high < value.high
        case "ne":
            return row.low < value.low or row.high >= value.high
        case "gt":
            return row.high > value.exact
        case "lt":
            return row.low < value.exact
        case "ge":
            return row.high >= value.exact
        case "le":
            return row.low <= value.exact
        case "sa":
            return row.low > value.exact
        case "eb":
            return row.high < value.exact
        case "ap":
            return row.low <= value.high and row.high >= value.low
