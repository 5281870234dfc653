"""Where a resource stands in a sorted answer, decided in memory with the same meaning as `store/query.py` gives in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from typing import Any

from slipring.fhir.search.criteria import Sort
from slipring.fhir.search.index import rows
from slipring.fhir.search.moment import interval
from slipring.fhir.search.row import Rows

# What of a row counts, by the parameter's type.
_COLUMNS = {
    "token": "code",
    "uri": "code",
    "date": "low",
    "string": "folded",
    "reference": "id",
    "number": "low",
    "quantity": "low",
}

Key = tuple[Any, ...]  # one value per sort rule, None where the resource has none


def sort_key(sort: Sequence[Sort], resource: Mapping[str, Any], zone: tzinfo = UTC) -> Key:
    """What a resource is sorted by; of several values the lowest counts (ascending) or the highest.

    The tree holds decimals as `Decimal`, or an amount would lose the precision it was written with.
    """
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
    column, keys = _COLUMNS[rule.parameter.type], rule.parameter.keys
    values = [getattr(row, column) for row in found.families[rule.parameter.family] if row.parameter in keys]
    return (max(values) if rule.descending else min(values)) if values else None
