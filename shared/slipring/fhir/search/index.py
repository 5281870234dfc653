"""Search rows of a resource: what the search tables hold so that a query need not open it.

Each type's parameters are compiled once into a plan (member name -> what to do with its value), so a resource is
walked once and members without a parameter cost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import cache
from typing import Any

from slipring.fhir.search.composite import composite_emitter
from slipring.fhir.search.emit import Emit, emitter
from slipring.fhir.search.parameter import Path, SearchParameter, Step, parameters_for
from slipring.fhir.search.row import Date, Quantity, Reference, Rows, Text, Token

__all__ = ["Date", "Quantity", "Reference", "Rows", "Text", "Token", "rows"]


@dataclass(frozen=True, slots=True)
class _Way:
    """One step down: the member it goes by, the condition on its items, then the next step or the rows."""

    name: str
    where: tuple[str, str] | None
    then: _Way | None
    emit: Emit


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to do per top-level member, with the whole resource, and the rows that stand when members are absent."""

    members: Mapping[str, tuple[_Way, ...]]
    whole: tuple[Emit, ...]
    absent: tuple[tuple[frozenset[str], Token], ...]


def rows(resource: Mapping[str, Any], zone: tzinfo = UTC) -> Rows:
    """The search rows of a resource; dates without a time zone are days of `zone`.

    Elements of the wrong shape give no row: refusing them is the validation's business.
    """
    plan = _plan(resource.get("resourceType", ""))
    found = Rows()
    members = plan.members
    for name, value in resource.items():
        if name in members:
            for way in members[name]:
                _walk(value, way, found, zone)
    for emit in plan.whole:
        emit(resource, found, zone)
    for names, token in plan.absent:
        if names.isdisjoint(resource):
            found.tokens.append(token)
    for rows_of_family in (found.tokens, found.references, found.dates, found.strings, found.quantities):
        if len(rows_of_family) > 1:
            rows_of_family[:] = dict.fromkeys(rows_of_family)  # type: ignore[arg-type]
    return found


def _walk(value: Any, way: _Way, found: Rows, zone: tzinfo) -> None:
    if type(value) is list:
        for item in value:
            _walk(item, way, found, zone)
        return
    if way.where is not None and not (type(value) is dict and value.get(way.where[0]) == way.where[1]):
        return
    then = way.then
    if then is None:
        if value is not None:
            way.emit(value, found, zone)
    elif type(value) is dict and then.name in value:
        _walk(value[then.name], then, found, zone)


def _way(steps: Sequence[Step], emit: Emit) -> _Way:
    return _Way(steps[0].name, steps[0].where, _way(steps[1:], emit) if len(steps) > 1 else None, emit)


def _walking(path: Path, emit: Emit) -> Emit:
    """From an element down a path; what a composite's parts go by."""
    way = _way(path.steps, emit)

    def walk(value: Any, found: Rows, zone: tzinfo) -> None:
        if way.name in value:
            _walk(value[way.name], way, found, zone)

    return walk


def _emitter(parameter: SearchParameter, path: Path) -> Emit:
    return composite_emitter(parameter, _walking) if parameter.parts else emitter(parameter, path)


@cache
def _plan(resource_type: str) -> _Plan:
    members: dict[str, list[_Way]] = {}
    whole = []
    absent = []
    for parameter in parameters_for(resource_type).values():
        for path in parameter.paths:
            if path.steps:
                members.setdefault(path.steps[0].name, []).append(_way(path.steps, _emitter(parameter, path)))
            else:
                whole.append(_emitter(parameter, path))
        if any(path.kind == "presence" for path in parameter.paths):
            names = frozenset(path.steps[0].name for path in parameter.paths)
            absent.append((names, Token(parameter.key, "", "false")))
    return _Plan({name: tuple(ways) for name, ways in members.items()}, tuple(whole), tuple(absent))
