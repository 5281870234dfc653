"""A search as a value: what a query string asks for, checked against the declared parameters.

Unknown parameters and modifiers are refused, never ignored, unless the client prefers lenient handling.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any

from slipring.fhir.outcome import FhirError
from slipring.fhir.search import wording
from slipring.fhir.search.clause import Reading, condition
from slipring.fhir.search.condition import AnyOf, Chain, Clause, Condition, Has, canonical
from slipring.fhir.search.elements import names_of
from slipring.fhir.search.include import INCLUDES, Include, include
from slipring.fhir.search.parameter import CONTROLS, SearchParameter, parameters_for

__all__ = ["CONTROLS", "AnyOf", "Chain", "Clause", "Condition", "Criteria", "Has", "Sort", "parse"]

_CHOICES = {"_total": ("none", "estimate", "accurate"), "_summary": ("true", "text", "data", "count", "false")}
_MOST_DIGITS = 9
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL holds neither; no row can match
# What a lenient search leaves out; a value that cannot be read is refused all the same.
_IGNORABLE = ("search.unknown-parameter", "search.unknown-modifier", "search.unknown-include")


@dataclass(frozen=True, slots=True)
class Sort:
    """One sort rule; resources without a value come last in either direction."""

    parameter: SearchParameter
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Criteria:
    """A whole search on one type. `pairs` are the parameters used, for the self link; `ignored` only when lenient."""

    type: str
    clauses: tuple[Condition, ...] = ()
    sort: tuple[Sort, ...] = ()
    count: int | None = None
    total: str = ""
    summary: str = ""
    elements: tuple[str, ...] = ()
    includes: tuple[Include, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()

    def canonical(self) -> str:
        """One spelling for all searches that ask the same, whatever their order: for locks."""
        return f"{self.type}?{'&'.join(sorted(canonical(one) for one in self.clauses))}"


def parse(
    resource_type: str,
    pairs: Sequence[tuple[str, str]],
    *,
    lenient: bool = False,
    zone: tzinfo = UTC,
    types: Collection[str] | None = None,
) -> Criteria:
    """Parse decoded (name, value) pairs; dates without a time zone are days of `zone`.

    `types`: the resource types that chains and `_has` may open; without them a chain is refused.
    """
    clauses: list[Condition] = []
    includes: list[Include] = []
    controls: dict[str, Any] = {}
    used: list[tuple[str, str]] = []
    ignored: list[str] = []
    reading = Reading(zone, types)
    for name, text in pairs:
        if _UNSTORABLE.search(text):
            raise wording.bad_value(name, "it holds characters that no resource can hold", "包含非法字符")
        try:
            if name in INCLUDES:
                includes.append(include(resource_type, name, text))
            elif name not in CONTROLS:
                clauses.append(condition(resource_type, name, text, reading))
            elif name not in ("_format", "_pretty"):
                if name[1:] in controls:
                    raise wording.repeated(name)
                controls[name[1:]] = (
                    _sorting(resource_type, text, ignored if lenient else None)
                    if name == "_sort"
                    else _control(resource_type, name, text)
                )
        except FhirError as error:
            if not lenient or error.issues[0].detail not in _IGNORABLE:
                raise
            ignored.append(name)
        else:
            used.append((name, text))
    if includes and controls.get("summary") == "text":
        raise wording.bad_value("_summary", "text does not go with includes", "text 不能与 _include 同用")
    return Criteria(
        resource_type,
        tuple(clauses),
        **controls,
        includes=tuple(dict.fromkeys(includes)),
        pairs=tuple(used),
        ignored=tuple(ignored),
    )


def _sorting(resource_type: str, text: str, ignored: list[str] | None) -> tuple[Sort, ...]:
    """The sort rules; what cannot be sorted by is refused, or noted in `ignored` when that is given."""
    known = parameters_for(resource_type)
    rules = []
    for item in text.split(","):
        code = item.removeprefix("-")
        parameter = known.get(code)
        if parameter is not None and parameter.sortable:
            rules.append(Sort(parameter, descending=item.startswith("-")))
        elif ignored is not None:
            ignored.append(f"_sort={code}")
        else:
            raise wording.unsortable(code, (name for name, known_one in known.items() if known_one.sortable))
    return tuple(rules)


def _control(resource_type: str, name: str, text: str) -> Any:
    if name == "_count":
        if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            raise wording.bad_value(name, "expected a number", "应为非负整数")
        return int(text)
    if name == "_elements":
        return asked_elements(resource_type, text)
    if text not in _CHOICES[name]:
        choices = _CHOICES[name]
        raise wording.bad_value(name, f"expected one of {', '.join(choices)}", f"应为 {'、'.join(choices)} 之一")
    return text


def asked_elements(resource_type: str, text: str) -> tuple[str, ...]:
    """The elements that `_elements` names; 400 for one that the type has not."""
    known = names_of(resource_type)
    named = tuple(text.split(","))
    for name in named:
        if name not in known:
            raise wording.unknown_element(resource_type, name, sorted(known))
    return named
