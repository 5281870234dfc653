"""How a search value is compared with a row, as SQL (pure): each comparison is written for the index of its table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
MOMENTS: Mapping[Prefix, str] = {
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


def compared(value: Value, modifier: str, arguments: Arguments, s: str = "s") -> str:
    """The condition that row `s` meets this value."""
    if isinstance(value, TokenValue):
        parts = [(name, part) for name, part in (("code", value.code), ("system", value.system)) if part is not None]
        return "(" + " AND ".join(f"{s}.{name} = {arguments.add(part, 'text')}" for name, part in parts) + ")"
    if isinstance(value, ReferenceValue):
        right_type = f"{s}.type <> ''" if value.type is None else f"{s}.type = {arguments.add(value.type, 'text')}"
        return f"({s}.id = {arguments.add(value.id, 'text')} AND {right_type})"
    if isinstance(value, DateValue):
        return dated(value, _DATES, arguments)
    if isinstance(value, QuantityValue):
        return _amount(value, arguments)
    if isinstance(value, CodesValue):
        return "(" + " OR ".join(_codes(value, system, arguments) for system in sorted(dict(value.codes))) + ")"
    if isinstance(value, BelowValue):
        url, start = arguments.add(value.url, "text"), arguments.add(f"{value.url}/", "text")
        return f"(s.code = {url} OR starts_with(s.code, {start}))"
    if isinstance(value, TextValue):
        return _text(value, modifier, arguments)
    raise TypeError(value)


def _codes(value: CodesValue, system: str, arguments: Arguments) -> str:
    codes = sorted(code for held, code in value.codes if held == system)
    return f"(s.system = {arguments.add(system, 'text')} AND s.code = ANY({arguments.add(codes, 'text[]')}))"


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


def dated(value: Value, templates: Mapping[Prefix, str], arguments: Arguments, row: str = "") -> str:
    """An interval (or, with `MOMENTS`, the update of resource `row`) against a date."""
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
