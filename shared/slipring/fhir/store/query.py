"""A search as SQL text and arguments (pure): semi-joins on the search tables, keyset paging.

It must mean what `search/match.py` means; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from slipring.fhir.search.criteria import Clause, Criteria, Sort
from slipring.fhir.search.fold import PREFIX
from slipring.fhir.search.values import DateValue, Prefix, ReferenceValue, TextValue, TokenValue, Value

_TABLES = {"token": "search_token", "reference": "search_reference", "date": "search_date", "string": "search_string"}

# The column a sort looks at; several rows of one resource count by their lowest (ascending) or highest.
_SORTED = {
    "token": 's.code COLLATE "C"',
    "uri": 's.code COLLATE "C"',
    "date": "s.low",
    "string": 's.folded COLLATE "C"',
}
_COLUMNS = {"_id": 'r.id COLLATE "C"', "_lastUpdated": "r.updated_at"}

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


class _Arguments(list[Any]):
    """The positional arguments, numbered as they are added."""

    def add(self, value: Any, kind: str) -> str:
        """Take a value in; its typed placeholder."""
        self.append(value)
        return f"${len(self)}::{kind}"


def page(
    criteria: Criteria, *, source: str | None, after: Sequence[Any] | None = None, limit: int
) -> tuple[str, list[Any]]:
    """One page of what is current and not deleted.

    `source`: '' = kept here, a service's name = its copies, None = all. `after`: `cursor_of` the last row seen.
    """
    arguments = _Arguments()
    where = _conditions(criteria, source, arguments)
    sorts = [_sort_value(rule, arguments) for rule in criteria.sort]
    backwards = bool(criteria.sort) and criteria.sort[-1].descending
    columns = "".join(f", {value} AS s{n}" for n, value in enumerate(sorts, 1))
    inner = f"SELECT r.key, r.type, r.id, r.version, r.updated_at, r.source{columns} FROM resource r WHERE {where}"
    order = ", ".join(
        [f"t.s{n} {'DESC' if rule.descending else 'ASC'} NULLS LAST" for n, rule in enumerate(criteria.sort, 1)]
        + [f"t.key {'DESC' if backwards else 'ASC'}"]
    )
    follows = f"WHERE {_keyset(criteria.sort, after, backwards, arguments)}" if after is not None else ""
    chosen = f"SELECT t.* FROM ({inner}) t {follows} ORDER BY {order} LIMIT {arguments.add(limit, 'bigint')}"
    body = f"({chosen}) t JOIN version v ON v.key = t.key AND v.version = t.version"
    return f"SELECT t.*, v.body FROM {body} ORDER BY {order}", list(arguments)


def count(criteria: Criteria, *, source: str | None) -> tuple[str, list[Any]]:
    """How many resources match."""
    arguments = _Arguments()
    return f"SELECT count(*) FROM resource r WHERE {_conditions(criteria, source, arguments)}", list(arguments)


def cursor_of(criteria: Criteria, record: Mapping[str, Any]) -> list[Any]:
    """The sort values and key of a result row, as JSON can hold them; `page(after=...)` goes on from there."""
    found = [record[f"s{n}"] for n in range(1, len(criteria.sort) + 1)]
    return [value.isoformat() if isinstance(value, datetime) else value for value in found] + [record["key"]]


# --- which -------------------------------------------------------------------------------------------------------


def _conditions(criteria: Criteria, source: str | None, arguments: _Arguments) -> str:
    conditions = [f"r.type = {arguments.add(criteria.type, 'text')}", "NOT r.deleted"]
    if source is not None:
        conditions.append(f"r.source = {arguments.add(source, 'text')}")
    return " AND ".join(conditions + [_clause(clause, arguments) for clause in criteria.clauses])


def _clause(clause: Clause, arguments: _Arguments) -> str:
    if clause.parameter.code == "_id":
        ids = [value.code for value in clause.values if isinstance(value, TokenValue)]
        return f"r.id = ANY({arguments.add(ids, 'text[]')})"
    if clause.parameter.code == "_lastUpdated":
        return "(" + " OR ".join(_date(value, _MOMENTS, arguments) for value in clause.values) + ")"
    table, key = _TABLES[clause.family], arguments.add(clause.key, "text")
    rows = f"SELECT 1 FROM {table} s WHERE s.key = r.key AND s.parameter = {key}"
    if clause.modifier == "missing":
        return f"{'NOT ' if clause.values[0] else ''}EXISTS ({rows})"
    negated = "NOT " if clause.modifier == "not" else ""
    return f"{negated}EXISTS ({rows} AND ({_values(clause, arguments)}))"


def _values(clause: Clause, arguments: _Arguments) -> str:
    """Any of the values; plain codes go together, so that one index scan serves them."""
    codes = [v.code for v in clause.values if isinstance(v, TokenValue) and v.system is None]
    if len(codes) > 1 and len(codes) == len(clause.values):
        return f"s.code = ANY({arguments.add(codes, 'text[]')})"
    return " OR ".join(_value(value, clause.modifier, arguments) for value in clause.values)


def _value(value: Value, modifier: str, arguments: _Arguments) -> str:
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


def _date(value: Value, templates: Mapping[Prefix, str], arguments: _Arguments) -> str:
    if not isinstance(value, DateValue):
        raise TypeError(value)
    template = templates[value.prefix]
    bounds = {"low": value.low, "high": value.high}
    held = {name: arguments.add(at, "timestamptz") for name, at in bounds.items() if f"{{{name}}}" in template}
    return f"({template.format(**held)})"


def _text(value: TextValue, modifier: str, arguments: _Arguments) -> str:
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


# --- in which order, from where ----------------------------------------------------------------------------------


def _sort_value(rule: Sort, arguments: _Arguments) -> str:
    if rule.parameter.column:
        return _COLUMNS[rule.parameter.code]
    family = "token" if rule.parameter.type == "uri" else rule.parameter.type
    extreme = "max" if rule.descending else "min"
    key = arguments.add(rule.parameter.key, "text")
    return (
        f"(SELECT {extreme}({_SORTED[rule.parameter.type]}) FROM {_TABLES[family]} s "
        f"WHERE s.key = r.key AND s.parameter = {key})"
    )


def _keyset(sort: Sequence[Sort], after: Sequence[Any], backwards: bool, arguments: _Arguments) -> str:
    """Rows behind the cursor: equal in the first sort values and behind in the next, or behind by key."""
    equal: list[str] = []
    behind: list[str] = []
    bounds: list[str] = []
    for n, (rule, value) in enumerate(zip(sort, after[:-1], strict=True), 1):
        column = f"t.s{n}"
        if value is None:  # nothing lies behind "no value" but others without
            equal.append(f"{column} IS NULL")
            continue
        held = _held(rule, value, arguments)
        less = "<" if rule.descending else ">"
        beyond = f"{column} {less} {held}"
        if rule.parameter.column and not equal:
            bounds.append(f"{column} {less}= {held}")  # says nothing new, but lets an index start there
        behind.append(" AND ".join([*equal, beyond if rule.parameter.column else f"({beyond} OR {column} IS NULL)"]))
        equal.append(f"{column} = {held}")
    key = arguments.add(after[-1], "bigint")
    behind.append(" AND ".join([*equal, f"t.key {'<' if backwards else '>'} {key}"]))
    return " AND ".join([*bounds, "(" + " OR ".join(f"({part})" for part in behind) + ")"])


def _held(rule: Sort, value: Any, arguments: _Arguments) -> str:
    if rule.parameter.type == "date":
        return arguments.add(datetime.fromisoformat(value) if isinstance(value, str) else value, "timestamptz")
    return arguments.add(value, "text") + ' COLLATE "C"'
