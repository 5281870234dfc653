"""Which part of a search one keeper cannot answer alone: chains, _has and includes that lead to other services. Pure.

What a search means is read by `slipring.fhir.search`, as each service reads it; here it is only asked who is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from slipring.fhir.search import wording
from slipring.fhir.search.clause import Reading, condition
from slipring.fhir.search.condition import types_looked_into
from slipring.fhir.search.criteria import Criteria
from slipring.fhir.search.include import Include
from slipring.fhir.search.parameter import parameters_for
from slipring.front.owners import Owners

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Chain:
    """`code.rest`: resources whose reference `code` leads to one of these types that meets `rest`."""

    code: str
    types: tuple[str, ...]
    rest: str


@dataclass(frozen=True, slots=True)
class Has:
    """`_has:type:by:rest`: resources that one of the type, meeting `rest`, refers to in `by`."""

    type: str
    by: str
    rest: str


def step_of(resource_type: str, name: str, owners: Owners) -> Chain | Has | None:
    """The first step that a parameter takes away from the type; None for a plain one. The name was read before."""
    if name.startswith("_has:"):
        _, source, by, rest = name.split(":", 3)
        return Has(source, by, rest)
    head, dot, rest = name.partition(".")
    if not dot:
        return None
    code, _, wanted = head.partition(":")
    first = rest.partition(".")[0].partition(":")[0]
    targets = (wanted,) if wanted else parameters_for(resource_type)[code].targets
    known = (one for one in targets if owners.keepers_of(one) and (first == "_has" or first in parameters_for(one)))
    return Chain(code, tuple(known), rest)


def leaves(resource_type: str, name: str, text: str, owners: Owners) -> bool:
    """Whether this parameter of a search cannot be answered by each keeper of the type alone."""
    if "." not in name and not name.startswith("_has:"):
        return False
    read = condition(resource_type, name, text, Reading(types=owners.types))
    return _elsewhere(resource_type, types_looked_into([read]), owners)


def _elsewhere(resource_type: str, types: Iterable[str], owners: Owners) -> bool:
    keepers = owners.keepers_of(resource_type)
    return any(len(keepers) > 1 or owners.keepers_of(one) != keepers for one in types)


def may_cross(text: str) -> bool:
    """A glance at a query string or form that lets most searches pass without being read here."""
    return any(mark in text for mark in (".", "%2E", "%2e", "_has", "%5Fhas", "%5fhas", "include"))


def has_steps(query: str) -> bool:
    """Whether the names of a query string lead away from the type at all."""
    if not may_cross(query):
        return False
    return any("." in name or name.startswith("_has:") for name, _ in parse_qsl(query, keep_blank_values=True))


def crosses(criteria: Criteria, owners: Owners) -> bool:
    """Whether a search on a type that one service keeps needs others as well."""
    if _elsewhere(criteria.type, types_looked_into(criteria.clauses), owners):
        return True
    return any(_include_leaves(criteria.type, include, owners) for include in criteria.includes)


def _include_leaves(resource_type: str, include: Include, owners: Owners) -> bool:
    keepers = owners.keepers_of(resource_type)
    kept = owners.linked
    return any(owners.keepers_of(one) != keepers for one in (include.given(kept) | {include.source or resource_type}))


def check_includes(includes: Iterable[Include], owners: Owners) -> None:
    """400 for includes that lead from or to nothing that is kept behind the front."""
    kept = owners.linked
    for include in includes:
        name = "_revinclude" if include.reverse else "_include"
        for wanted in (include.source, include.target):
            if wanted and wanted not in kept:
                raise wording.not_held(name, wanted, kept)
        if include.code != "*" and not include.given(kept):
            named = sorted({target for parameter in include.parameters(kept) for target in parameter.targets})
            raise wording.not_held(name, named[0], kept)
