"""Where a resource stands in a sorted answer, decided in memory with the same meaning as `store/query.py` gives in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

from slipring.fhir.search.criteria import Sort
from slipring.fhir.search.index import rows
from slipring.fhir.search.moment import interval
from slipring.fhir.search.row import Rows

Key = tuple[Any, ...]  # one value per sort rule, None where the resource has none


def sort_key(sort: Sequence[Sort], resource: Mapping[str, Any], zone: tzinfo = UTC) -> Key:
    """What a resource is sorted by; of several values the lowest counts (ascending) or the highest."""
    found = rows(resource, zone)
    return tuple(_value(rule, found, resource) for rule in sort)


def comes_before(one: Key, other: Key, descending: Sequence[bool]) -> bool:
    """Whether the first key stands before the second; what has no value comes last in either direction.

    >>> comes_before((2,), (1,), [True]), comes_before((None,), (1,), [True])
    (True, False)
    """
    for value, against, down in zip(one, other, descending, strict=True):
        if value is None or against is None:
            if (value is None) != (against is None):
                return against is None
        elif value != against:
            return bool(value > against if down else value < against)
    return False


def _value(rule: Sort, found: Rows, resource: Mapping[str, Any]) -> Any:
    if rule.parameter.code == "_id":
        return resource.get("id")
    if rule.parameter.code == "_lastUpdated":
        meta = resource.get("meta")
        span = interval(str(meta.get("lastUpdated"))) if isinstance(meta, Mapping) else None
        return span.low if span else None
    values = _values(rule, found)
    return (max(values) if rule.descending else min(values)) if values else None


def _values(rule: Sort, found: Rows) -> list[Any]:
    key = rule.parameter.key
    match rule.parameter.type:
        case "token" | "uri":
            return [row.code for row in found.tokens if row.parameter == key]
        case "date":
            return [row.low for row in found.dates if row.parameter == key]
        case "string":
            return [row.folded for row in found.strings if row.parameter == key]
    return []
