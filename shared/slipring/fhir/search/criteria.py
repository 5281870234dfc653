"""A search as a value: what a query string asks for, checked against the declared parameters.

Unknown parameters and modifiers are refused, never ignored, unless the client prefers lenient handling.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Literal

from slipring.fhir.search import values, wording
from slipring.fhir.search.fold import bounded
from slipring.fhir.search.parameter import SearchParameter, parameters_for
from slipring.fhir.search.values import TokenValue, Value

Family = Literal["token", "reference", "date", "string"]

CONTROLS = ("_count", "_sort", "_total", "_summary", "_elements", "_format", "_pretty")
_CHOICES = {"_total": ("none", "estimate", "accurate"), "_summary": ("true", "text", "data", "count", "false")}
_MOST_VALUES = 500
_MOST_DIGITS = 9
_TYPE_NAME = re.compile(r"[A-Z][A-Za-z]{1,63}", re.ASCII)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL holds neither; no row can match


@dataclass(frozen=True, slots=True)
class Clause:
    """One parameter of the search; it holds when any of its values does. All clauses must hold.

    `key` is the row name (`Type.code` or `Type.code:identifier`). With `missing` the one value says whether rows
    must be absent; with `not` no value may match.
    """

    parameter: SearchParameter
    family: Family
    key: str
    modifier: Literal["", "missing", "not", "exact", "contains"]
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort rule; resources without a value come last in either direction."""

    parameter: SearchParameter
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Criteria:
    """A whole search on one type. `pairs` are the parameters used, for the self link; `ignored` only when lenient."""

    type: str
    clauses: tuple[Clause, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int | None = None
    total: str = ""
    summary: str = ""
    elements: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()

    def canonical(self) -> str:
        """One spelling for all searches that ask the same, whatever their order: for locks."""
        written = sorted(f"{c.key}:{c.modifier}={sorted({repr(value) for value in c.values})}" for c in self.clauses)
        return f"{self.type}?{'&'.join(written)}"


def parse(
    resource_type: str, pairs: Sequence[tuple[str, str]], *, lenient: bool = False, zone: tzinfo = UTC
) -> Criteria:
    """Parse decoded (name, value) pairs; dates without a time zone are days of `zone`."""
    clauses: list[Clause] = []
    sort: list[Sort] = []
    controls: dict[str, Any] = {}
    used: list[tuple[str, str]] = []
    ignored: list[str] = []
    known = parameters_for(resource_type)
    for name, text in pairs:
        if _UNSTORABLE.search(text):
            raise wording.bad_value(name, "it holds characters that no resource can hold", "包含非法字符")
        code, colon, modifier = name.partition(":")
        if code in CONTROLS and not colon:
            if code == "_sort":
                sort += _sorting(known, text, lenient, ignored)
            elif code not in ("_format", "_pretty"):
                controls[code[1:]] = _control(code, text)
            used.append((name, text))
            continue
        parameter = known.get(code)
        if parameter is None:
            if not lenient:
                raise wording.unknown_parameter(resource_type, name, (*known, *CONTROLS))
            ignored.append(name)
            continue
        if not _takes(parameter, modifier, present=bool(colon)):
            if not lenient:
                raise wording.unknown_modifier(code, modifier, (*parameter.modifiers, *parameter.targets))
            ignored.append(name)
            continue
        clauses.append(_clause(parameter, modifier, name, text, zone))
        used.append((name, text))
    return Criteria(resource_type, tuple(clauses), tuple(sort), **controls, pairs=tuple(used), ignored=tuple(ignored))


def _takes(parameter: SearchParameter, modifier: str, *, present: bool) -> bool:
    if not present or modifier in parameter.modifiers:
        return True
    if parameter.type != "reference":
        return False
    return modifier in parameter.targets if parameter.targets else bool(_TYPE_NAME.fullmatch(modifier))


def _clause(parameter: SearchParameter, modifier: str, name: str, text: str, zone: tzinfo) -> Clause:
    family: Family = "token" if parameter.type == "uri" else parameter.type
    if modifier == "missing":
        if text not in ("true", "false"):
            raise wording.bad_value(name, "expected true or false", "应为 true 或 false")
        return Clause(parameter, family, parameter.key, "missing", (text == "true",))
    pieces = values.split(text, ",")
    if not all(pieces):
        raise wording.bad_value(name, "a value is empty", "有空值")
    if len(pieces) > _MOST_VALUES:
        raise wording.bad_value(name, f"more than {_MOST_VALUES} values", f"超过 {_MOST_VALUES} 个值")
    if modifier == "identifier":
        tokens = tuple(values.token(piece, name) for piece in pieces)
        return Clause(parameter, "token", f"{parameter.key}:identifier", "", tokens)
    parsed = tuple(_value(parameter, modifier, name, piece, zone) for piece in pieces)
    if modifier in ("not", "exact", "contains"):
        return Clause(parameter, family, parameter.key, modifier, parsed)  # type: ignore[arg-type]
    return Clause(parameter, family, parameter.key, "", parsed)


def _value(parameter: SearchParameter, modifier: str, name: str, piece: str, zone: tzinfo) -> Value:
    if parameter.type == "uri" or parameter.code == "_id":
        return TokenValue(None, bounded(values.unescaped(piece)))
    if parameter.type == "token":
        return values.token(piece, name, parameter.system)
    if parameter.type == "reference":
        return values.reference(piece, parameter, name, wanted=modifier)
    return values.date(piece, name, zone) if parameter.type == "date" else values.text(piece, name)


def _sorting(known: Any, text: str, lenient: bool, ignored: list[str]) -> list[Sort]:
    rules = []
    for item in text.split(","):
        code = item.removeprefix("-")
        parameter = known.get(code)
        if parameter is not None and parameter.sortable:
            rules.append(Sort(parameter, descending=item.startswith("-")))
        elif lenient:
            ignored.append(f"_sort={code}")
        else:
            raise wording.unsortable(code, (name for name, known_one in known.items() if known_one.sortable))
    return rules


def _control(name: str, text: str) -> Any:
    if name == "_count":
        if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            raise wording.bad_value(name, "expected a number", "应为非负整数")
        return int(text)
    if name == "_elements":
        return tuple(item for item in text.split(",") if item)
    if text not in _CHOICES[name]:
        choices = _CHOICES[name]
        raise wording.bad_value(name, f"expected one of {', '.join(choices)}", f"应为 {'、'.join(choices)} 之一")
    return text
