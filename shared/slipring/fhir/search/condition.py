"""The conditions a search is made of, as values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from slipring.fhir.search.parameter import Family, SearchParameter
from slipring.fhir.search.values import Value


@dataclass(frozen=True, slots=True)
class Clause:
    """One parameter of the search; it holds when any of its values does.

    `keys` are the row names to look under (`Type.code`, `Type.code:identifier`, ...). With `missing` the one value says
    whether rows must be absent; with `not` no value may match.
    """

    parameter: SearchParameter
    family: Family
    keys: tuple[str, ...]
    modifier: Literal["", "missing", "not", "exact", "contains"]
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """The resource refers by this parameter to one of `type` that meets the condition (own or followed)."""

    parameter: SearchParameter
    type: str
    condition: Condition


@dataclass(frozen=True, slots=True)
class Has:
    """A resource of the parameter's type refers by it to this one (of type `of`), and meets the condition."""

    of: str
    parameter: SearchParameter
    condition: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of these holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class ShownTo:
    """The resource is for everybody, or for one of these audiences (`resource.audience`)."""

    audiences: tuple[str, ...]


Condition = Clause | AnyOf | AllOf | Chain | Has | ShownTo


def types_looked_into(conditions: Sequence[Condition]) -> Iterator[str]:
    """The resource types that chains and `_has` open beside the one searched: each needs its own permission."""
    for condition in conditions:
        if isinstance(condition, AnyOf | AllOf):
            yield from types_looked_into(condition.conditions)
        elif isinstance(condition, Chain):
            yield condition.type
            yield from types_looked_into([condition.condition])
        elif isinstance(condition, Has):
            yield condition.parameter.resource
            yield from types_looked_into([condition.condition])


def canonical(condition: Condition) -> str:
    """One spelling for all conditions that ask the same, whatever the order of their values."""
    if isinstance(condition, Clause):
        asked = sorted({repr(value) for value in condition.values})
        return f"{','.join(condition.keys)}:{condition.modifier}={asked}"
    if isinstance(condition, AnyOf | AllOf):
        between = "|" if isinstance(condition, AnyOf) else "&"
        return f"({between.join(sorted(canonical(one) for one in condition.conditions))})"
    if isinstance(condition, ShownTo):
        return f"shown:{sorted(condition.audiences)}"
    if isinstance(condition, Chain):
        return f"{condition.parameter.key}:{condition.type}.({canonical(condition.condition)})"
    return f"_has:{condition.parameter.key}.({canonical(condition.condition)})"
