"""The conditions of a search as SQL (pure): semi-joins on the search tables, written for their indexes.

They must mean what `search/match.py` means; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from slipring.fhir.search.criteria import AnyOf, Chain, Clause, Condition, Criteria, Has
from slipring.fhir.search.fold import PREFIX
from slipring.fhir.search.values import (
    BelowValue,
    CodesValue,
    DateValue,
    Prefix,
    QuantityValue,
    ReferenceValue,
    TextValue,
    TokenValue,
    Value,
)

# The table of each family of rows.
TABLES = {
    "token": "search_token",
    "reference": "search_reference",
    "date": "search_date",
    "string": "search_string",
    "quantity": "search_quantity",
}

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

# The row's closed interval against a number; the second condition of eq says nothing new, but bounds the index.
_AMOUNTS: Mapping[Prefix, str] = {
    "eq": "s.low >= {low} AND s.low < {high} AND s.high < {high}",
    "ne": "(s.low < {low} OR s.high >= {high})",
    "gt": "s.high > {exact}",
    "lt": "s.low < {exact}",
    "ge": "s.high >= {exact}",
    "le": "s.low <= {exact}",
    "sa": "s.low > {exact}",
    "eb": "s.high < {exact}",
    "ap": "s.low <= {high} AND s.high >= {low}",
}

# The same for `_lastUpdated`, a point: written so that the index on it serves.
_MOMENTS: Mapping[Prefix, str] = {
    "eq": "{row}.updated_at >= {low} AND {row}.updated_at < {high}",
    "ne": "({row}.updated_at < {low} OR {row}.updated_at >= {high})",
    "gt": "{row}.updated_at >= {high}",
    "lt": "{row}.updated_at < {low}",
    "ge": "{row}.updated_at >= {low}",
    "le": "{row}.updated_at < {high}",
    "sa": "{row}.updated_at >= {high}",
    "eb": "{row}.updated_at < {low}",
    "ap": "{row}.updated_at >= {low} AND {row}.updated_at < {high}",
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
    return " AND ".join(written + [_condition(one, 0, arguments) for one in criteria.clauses])


def _row(depth: int) -> str:
    """The resource a condition is about: `r` itself, or the one `depth` links away."""
    return f"r{depth}" if depth else "r"


def _condition(condition: Condition, depth: int, arguments: Arguments) -> str:
    if isinstance(condition, Clause):
        return _clause(condition, depth, arguments)
    if isinstance(condition, AnyOf):
        return "(" + " OR ".join(_condition(one, depth, arguments) for one in condition.conditions) + ")"
    return _linked(condition, depth, arguments)


def _linked(condition: Chain | Has, depth: int, arguments: Arguments) -> str:
    """A resource one link away that meets the condition; links by canonical URL go through its `url`."""
    here, there, link = _row(depth), _row(depth + 1), f"l{depth + 1}"
    parameter = condition.parameter
    forward = isinstance(condition, Chain)
    kind = arguments.add(condition.type if isinstance(condition, Chain) else parameter.resource, "text")
    named = f"{there}.type = {kind} AND NOT {there}.deleted AND {_named(link, parameter.keys, arguments)}"
    from_, to = (here, there) if forward else (there, here)
    tables = f"search_reference {link}, resource {there}"
    if parameter.canonical:
        target = condition.type if isinstance(condition, Chain) else condition.of
        url = arguments.add(f"{target}.url", "text")
        tables += f", search_token u{depth + 1}"
        ends = f"u{depth + 1}.parameter = {url} AND u{depth + 1}.key = {to}.key AND {link}.id = u{depth + 1}.code AND {link}.type = ''"
    else:
        ends = f"{to}.id = {link}.id AND {to}.type = {link}.type"
        ends += f" AND {link}.type = {kind}" if forward else ""
    inside = _condition(condition.condition, depth + 1, arguments)
    return f"EXISTS (SELECT 1 FROM {tables} WHERE {named} AND {link}.key = {from_}.key AND {ends} AND {inside})"


def _named(rows: str, keys: Sequence[str], arguments: Arguments) -> str:
    if len(keys) == 1:
        return f"{rows}.parameter = {arguments.add(keys[0], 'text')}"
    return f"{rows}.parameter = ANY({arguments.add(list(keys), 'text[]')})"


def _clause(clause: Clause, depth: int, arguments: Arguments) -> str:
    here = _row(depth)
    if clause.parameter.code == "_id":
        ids = [value.code for value in clause.values if isinstance(value, TokenValue)]
        return f"{here}.id = ANY({arguments.add(ids, 'text[]')})"
    if clause.parameter.code == "_lastUpdated":
        return "(" + " OR ".join(_date(value, _MOMENTS, arguments, row=here) for value in clause.values) + ")"
    named = _named("s", clause.keys, arguments)
    rows = f"SELECT 1 FROM {TABLES[clause.family]} s WHERE s.key = {here}.key AND {named}"
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
    if isinstance(value, QuantityValue):
        return _amount(value, arguments)
    if isinstance(value, CodesValue):
        pairs = sorted(value.codes)
        systems = arguments.add([system for system, _ in pairs], "text[]")
        return (
            f"(s.system, s.code) IN (SELECT * FROM unnest({systems}, {arguments.add([c for _, c in pairs], 'text[]')}))"
        )
    if isinstance(value, BelowValue):
        url, start = arguments.add(value.url, "text"), arguments.add(f"{value.url}/", "text")
        return f"(s.code = {url} OR starts_with(s.code, {start}))"
    if isinstance(value, TextValue):
        return _text(value, modifier, arguments)
    raise TypeError(value)


def _amount(value: QuantityValue, arguments: Arguments) -> str:
    template = _AMOUNTS[value.prefix]
    bounds = {"exact": value.exact, "low": value.low, "high": value.high}
    held = {name: arguments.add(at, "numeric") for name, at in bounds.items() if f"{{{name}}}" in template}
    written = [template.format(**held)]
    if value.system is not None:
        written.append(f"s.system = {arguments.add(value.system, 'text')}")
    if value.code is not None:
        code = arguments.add(value.code, "text")
        written.append(f"(s.code = {code} OR s.unit = {code})" if value.loose else f"s.code = {code}")
    return "(" + " AND ".join(written) + ")"


def _date(value: Value, templates: Mapping[Prefix, str], arguments: Arguments, row: str = "") -> str:
    if not isinstance(value, DateValue):
        raise TypeError(value)
    template = templates[value.prefix]
    bounds = {"low": value.low, "high": value.high}
    held = {name: arguments.add(at, "timestamptz") for name, at in bounds.items() if f"{{{name}}}" in template}
    return f"({template.format(row=row, **held)})"


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
