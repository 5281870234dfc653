"""What a token reaches: the limits of its scopes as search conditions (pure).

One predicate in two forms that agree. As conditions it joins a search and becomes SQL with it; in memory it judges one
resource by its own search rows. Limits inside one scope all hold, of several scopes one is enough. An unlimited caller
has no conditions at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, tzinfo
from functools import cache, lru_cache
from typing import Any

from slipring.fhir.caller import Caller, Grant, grant_of
from slipring.fhir.checks.schema import supported
from slipring.fhir.definitions.compartment import patient_compartment
from slipring.fhir.outcome import FhirError
from slipring.fhir.search.condition import AllOf, AnyOf, Chain, Condition, Has, ShownTo
from slipring.fhir.search.criteria import CONTROLS, Criteria, parse
from slipring.fhir.search.index import rows
from slipring.fhir.search.match import holds
from slipring.fhir.search.parameter import parameters_for, searchable_types

Resource = Mapping[str, Any]
# Moves with time and not with the resource: what lies within a token would change without a write.
_NOT_IN_A_SCOPE = (*CONTROLS, "_lastUpdated")
_NOTHING = AnyOf(())


def scope_fault(scope: str) -> str | None:
    """Why a scope on resources cannot be granted, in one sentence; None when it can."""
    grant = grant_of(scope)
    if grant is None:
        return "not of the form system|user|patient/Type.cruds?parameter=value"
    if grant.type != "*" and grant.type not in supported():
        return "no resource type of FHIR R4"
    for name, value in grant.parameters:
        if name in _NOT_IN_A_SCOPE or (grant.type == "*" and name.partition(":")[0] not in _common()):
            return "a parameter that limits no resource by itself, or not every type"
        try:
            parse("Basic" if grant.type == "*" else grant.type, [(name, value)])
        except FhirError as error:
            return error.issues[0].en
    return None


def limits(caller: Caller, resource_type: str, letter: str, zone: tzinfo = UTC) -> tuple[Condition, ...]:
    """What a resource must meet for this interaction; () when the caller reaches all of the type."""
    if not caller.bounded and caller.grants(resource_type, letter):
        return ()
    return _limits(caller.scopes, caller.records, resource_type, letter, zone)


def reached(criteria: Criteria, caller: Caller, zone: tzinfo = UTC, letter: str = "s") -> Criteria:
    """The search within what the caller may see; chains and `_has` pass only through what he may search himself."""
    within = tuple(_through(one, caller, zone) for one in criteria.clauses)
    return replace(criteria, clauses=within + seen(caller, criteria.type, letter, zone))


def seen(caller: Caller, resource_type: str, letter: str, zone: tzinfo = UTC) -> tuple[Condition, ...]:
    """The limits, and that it is shown to him."""
    shown = caller.audiences
    return (*limits(caller, resource_type, letter, zone), *(() if shown is None else (ShownTo(shown),)))


def reaches(caller: Caller, letter: str, resource: Resource, zone: tzinfo = UTC) -> bool:
    """Whether this resource, as it is written here, lies within the caller's limits."""
    conditions = limits(caller, str(resource.get("resourceType", "")), letter, zone)
    if not conditions:
        return True
    found = rows(resource, zone)
    return all(holds(one, found, resource) for one in conditions)


def shows(caller: Caller, audience: Sequence[str] | None) -> bool:
    """Whether what is kept for an audience (None: for everybody) is shown to him."""
    return audience is None or caller.audiences is None or not set(audience).isdisjoint(caller.audiences)


def _through(condition: Condition, caller: Caller, zone: tzinfo) -> Condition:
    if isinstance(condition, AnyOf | AllOf):
        return replace(condition, conditions=tuple(_through(one, caller, zone) for one in condition.conditions))
    if isinstance(condition, Chain | Has):
        opened = condition.type if isinstance(condition, Chain) else condition.parameter.resource
        inner = _through(condition.condition, caller, zone)
        beyond = seen(caller, opened, "s", zone)
        return replace(condition, condition=AllOf((inner, *beyond)) if beyond else inner)
    return condition


@lru_cache(maxsize=4096)
def _limits(
    scopes: frozenset[str], records: tuple[str, ...], resource_type: str, letter: str, zone: tzinfo
) -> tuple[Condition, ...]:
    grants = Caller("", scopes, patient=next(iter(records), None)).grants(resource_type, letter)
    if any(grant.whole for grant in grants):
        return ()
    ways = [_of(grant, records, resource_type, zone) for grant in grants]
    if len(ways) == 1:
        return ways[0]
    return (AnyOf(tuple(one[0] if len(one) == 1 else AllOf(one) for one in ways)),)


def _of(grant: Grant, records: tuple[str, ...], resource_type: str, zone: tzinfo) -> tuple[Condition, ...]:
    """What one scope demands of a resource; a scope that cannot be read grants nothing."""
    try:
        clauses = parse(resource_type, grant.parameters, zone=zone).clauses
    except FhirError:
        return (_NOTHING,)
    own = (_compartment(records, resource_type),) if grant.context == "patient" else ()
    return (*own, *clauses)


def _compartment(records: tuple[str, ...], resource_type: str) -> Condition:
    """That a resource belongs to the patient (CompartmentDefinition); types outside of the compartment never do."""
    if resource_type == "Patient":
        return parse("Patient", [("_id", ",".join(records))]).clauses[0]
    known, named = parameters_for(resource_type), ",".join(f"Patient/{record}" for record in records)
    by = [code for code in patient_compartment().get(resource_type, ()) if code in known]
    return AnyOf(tuple(parse(resource_type, [(code, named)]).clauses[0] for code in by))


@cache
def _common() -> frozenset[str]:
    """The parameters that every type has."""
    return frozenset.intersection(*(frozenset(parameters_for(name)) for name in searchable_types()))
