"""The conditions of a search as SQL (pure): semi-joins on the search tables, written for their indexes.

They must mean what `search/match.py` means; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipring.fhir.search.criteria import Clause, Criteria
from slipring.fhir.search.fold import PREFIX
from slipring.fhir.search.values import DateValue, Prefix, ReferenceValue, TextValue, TokenValue, Value

# The table of each family of rows.
TABLES = {"token": "search_token", "reference": "search_reference", "date": "search_date", "string": "search_string"}

# The row's interval against the value's, as in match.py; {low} and {high} are the value's.
_DATES: Mapping[Prefix, str] = {
    "eq": "s.low >= {low} AND s.high <= {high}",
    "ne": "(s.low < {low} OR s.high > {high})",
    "gt": "s.high > {high}",
    "lt": "s.low < {low}",
    "ge": "(s.low >= {low} OR s.high > {high})",
    "le": "(s.high <= {high} OR s.low < {low})",
    "sa": "s.low >= {high}",
    "eb": "s.high <= {low}",
    "ap": "s.low < {high} AND s.high > {low}",
}

# The same for `_lastUpdated`, a point: written so that the index on it serves.
_MOMENTS: Mapping[Prefix, str] = {
    "eq": "r.updated_at >= {low} AND r.updated_at < {high}",
    "ne": "(r.updated_at < {low} OR r.updated_at >= {high})",
    "gt": "r.updated_at >= {high}",
    "lt": "r.updated_at < {low}",
    "ge": "r.updated_at >= {low}",
    "le": "r.updated_at < {high}",
    "sa": "r.updated_at >= {high}",
    "eb": "r.updated_at < {low}",
    "ap": "r.updated_at >= {low} AND r.updated_at < {high}",
}


class Arguments(list[Any]):
    """The positional arguments, numbered as they are added."""

    def add(self, value: Any, kind: str) -> str:
        """Take a value in; its typed placeholder."""
        self.append(value)
        return f"${len(self)}::{kind}"


def conditions(criteria: Criteria, source: str | None, arguments: Arguments) -> str:
    """The WHERE of a search on `resource r`: current resources that meet every clause."""
    written = [f"r.type = {arguments.add(criteria.type, 'text')}", "NOT r.deleted"]
    if source is not None:
        written.append(f"r.source = {arguments.add(source, 'text')}")
    return " AND ".join(written + [_clause(clause, arguments) for clause in criteria.clauses])


def _clause(clause: Clause, arguments: Arguments) -> str:
    if clause.parameter.code == "_id":
        ids = [value.code for value in clause.values if isinstance(value, TokenValue)]
        return f"r.id = ANY({arguments.add(ids, 'text[]')})"
    if clause.parameter.code == "_lastUpdated":
        return "(" + " OR ".join(_date(value, _MOMENTS, arguments) for value in clause.values) + ")"
    table, key = TABLES[clause.family], arguments.add(clause.key, "text")
    rows = f"SELECT 1 FROM {table} s WHERE s.key = r.key AND s.parameter = {key}"
    if clause.modifier == "missing":
        return f"{'NOT ' if clause.values[0] else ''}EXISTS ({rows})"
    negated = "NOT " if clause.modifier == "not" else ""
    return f"{negated}EXISTS ({rows} AND ({_values(clause, arguments)}))"


def _values(clause: Clause, arguments: Arguments) -> str:
    """Any of the values; plain codes go together, so that one index scan serves them."""
    codes = [v.code for v in clause.values if isinstance(v, TokenValue) and v.system is None]
    if len(codes) > 1 and len(codes) == len(clause.values):
        return f"s.code = ANY({arguments.add(codes, 'text[]')})"
    return " OR ".join(_value(value, clause.modifier, arguments) for value in clause.values)


def _value(value: Value, modifier: str, arguments: Arguments) -> str:
    if isinstance(value, TokenValue):
        parts = [(name, part) for name, part in (("code", value.code), ("system", value.system)) if part is not None]
        return "(" + " AND ".join(f"s.{name} = {arguments.add(part, 'text')}" for name, part in parts) + ")"
    if isinstance(value, ReferenceValue):
        right_type = "s.type <> ''" if value.type is None else f"s.type = {arguments.add(value.type, 'text')}"
        return f"(s.id = {arguments.add(value.id, 'text')} AND {right_type})"
    if isinstance(value, DateValue):
        return _date(value, _DATES, arguments)
    if isinstance(value, TextValue):
        return _text(value, modifier, arguments)
    raise TypeError(value)


def _date(value: Value, templates: Mapping[Prefix, str], arguments: Arguments) -> str:
    if not isinstance(value, DateValue):
        raise TypeError(value)
    template = templates[value.prefix]
    bounds = {"low": value.low, "high": value.high}
    held = {name: arguments.add(at, "timestamptz") for name, at in bounds.items() if f"{{{name}}}" in template}
    return f"({template.format(**held)})"


def _text(value: TextValue, modifier: str, arguments: Arguments) -> str:
    if modifier == "contains":
        return f"strpos(s.folded, {arguments.add(value.folded, 'text')}) > 0"
    start = value.folded[:PREFIX]
    conditions = [f"left(s.folded, {PREFIX}) ~>=~ {arguments.add(start, 'text')}"]
    end = _after_prefix(start)
    if end:
        conditions.append(f"left(s.folded, {PREFIX}) ~<~ {arguments.add(end, 'text')}")
    if modifier == "exact":
        conditions.append(f"s.exact = {arguments.add(value.exact, 'text')}")
    elif len(value.folded) > PREFIX:
        conditions.append(f"starts_with(s.folded, {arguments.add(value.folded, 'text')})")
    return "(" + " AND ".join(conditions) + ")"


def _after_prefix(prefix: str) -> str:
    """The least text above every text with this prefix, by bytes; '' when there is none.

    An explicit range serves every plan; the index would not serve LIKE with an argument in a generic one.
    """
    while prefix:
        last = ord(prefix[-1])
        if last < 0x10FFFF:
            return prefix[:-1] + chr(0xE000 if last == 0xD7FF else last + 1)
        prefix = prefix[:-1]
    return ""
