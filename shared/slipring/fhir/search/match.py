"""Whether one resource meets a search, decided in memory with the same meaning as `store/query.py` gives in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from slipring.fhir.search.criteria import Clause, Criteria
from slipring.fhir.search.index import Date, Rows
from slipring.fhir.search.moment import interval
from slipring.fhir.search.values import DateValue, ReferenceValue, TextValue, TokenValue, Value


def matches(criteria: Criteria, rows: Rows, resource: Mapping[str, Any], updated_at: datetime | None = None) -> bool:
    """Whether the resource with these rows is one that the search finds.

    `_lastUpdated` is judged by `updated_at`, or by `meta.lastUpdated` when it is not given.
    """
    if resource.get("resourceType") != criteria.type:
        return False
    return all(_holds(clause, rows, resource, updated_at) for clause in criteria.clauses)


def _holds(clause: Clause, rows: Rows, resource: Mapping[str, Any], updated_at: datetime | None) -> bool:
    if clause.parameter.code == "_id":
        return TokenValue(None, str(resource.get("id"))) in clause.values
    if clause.parameter.code == "_lastUpdated":
        found: list[Any] = _last_updated(clause.key, resource, updated_at)
    else:
        families = {"token": rows.tokens, "reference": rows.references, "date": rows.dates, "string": rows.strings}
        found = [row for row in families[clause.family] if row.parameter == clause.key]  # type: ignore[attr-defined]
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
