"""Searches for what refers to a resource, perhaps with a code: the commonest of all, recognised by their shape (pure)."""

from __future__ import annotations

from dataclasses import dataclass

from slipring.fhir.search.condition import Clause, Condition
from slipring.fhir.search.criteria import Criteria
from slipring.fhir.search.values import ReferenceValue, TokenValue


@dataclass(frozen=True, slots=True)
class Pointed:
    """A search of `kind` for what refers to one of `targets` by a parameter, and carries one of `codes` if there are any."""

    kind: str
    parameter: str
    targets: tuple[tuple[str, str], ...]  # type and id
    named: tuple[str, ...] | None = None  # the parameters of the codes
    codes: tuple[str, ...] | None = None
    system: str | None = None


def pointed(criteria: Criteria) -> Pointed | None:
    """A search as one of these, if it is one."""
    references = [one for one in criteria.clauses if isinstance(one, Clause) and one.family == "reference"]
    others = [one for one in criteria.clauses if one not in references]
    if len(references) != 1 or len(others) > 1 or criteria.sort or not _plain(references[0]):
        return None
    if len(references[0].keys) > 1:
        return None
    targets = tuple(
        (v.type, v.id) for v in references[0].values if isinstance(v, ReferenceValue) and v.type is not None
    )
    if len(targets) != len(references[0].values):
        return None
    found = Pointed(criteria.type, references[0].keys[0], targets)
    return _with_codes(found, others[0]) if others else found


def _with_codes(found: Pointed, clause: Condition) -> Pointed | None:
    if not isinstance(clause, Clause) or clause.family != "token" or not _plain(clause) or clause.parameter.column:
        return None
    codes = [value.code for value in clause.values if isinstance(value, TokenValue) and value.code is not None]
    systems = {value.system for value in clause.values if isinstance(value, TokenValue)}
    if len(codes) != len(clause.values) or len(systems) != 1:
        return None
    return Pointed(found.kind, found.parameter, found.targets, clause.keys, tuple(codes), systems.pop())


def _plain(clause: Clause) -> bool:
    return not clause.modifier
