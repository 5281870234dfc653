"""Which institution an examination was done at: by performer or by who assigned its identifier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_order.reading import Pool, reference_of

_OUR_NUMBERS = frozenset({f"{CANONICAL}/sid/imaging-number", f"{CANONICAL}/sid/filler-order"})
_DEPTH = 5  # department of a clinic of a hospital of a group


def own_institution(request: Resource, pool: Pool) -> frozenset[str]:
    """By what this hospital is known: who is to perform the request, where the patient is, whose person asks."""
    encounter = pool.resolve(request.get("encounter"), request) or {}
    requester = pool.resolve(request.get("requester"), request) or {}
    named = [*request.get("performer", []), encounter.get("serviceProvider"), requester.get("organization")]
    own = frozenset[str]().union(*(_names_of(element, pool, request) for element in named if element))
    return own | frozenset(_assigners(request, pool))


def institution_of(resource: Resource, pool: Pool) -> frozenset[str]:
    """The references, identifiers and names of the institution that performed it; none when it names none."""
    performers = [*_performers(resource)]
    named = frozenset[str]().union(*(_names_of(element, pool, resource) for element in performers))
    return named | frozenset(_assigners(resource, pool))


def numbered_by_us(resource: Resource) -> bool:
    """Whether it carries a number that this department gave."""
    held = resource.get("identifier", [])
    entries = held if isinstance(held, list) else [held]
    return any(entry.get("system") in _OUR_NUMBERS for entry in entries)


def _performers(resource: Resource) -> Iterator[Mapping[str, Any]]:
    whole = [resource, *resource.get("series", [])]
    for performer in (entry for part in whole for entry in part.get("performer", [])):
        yield from filter(None, (performer.get("onBehalfOf"), performer.get("actor")))
        if "actor" not in performer:
            yield performer


def _names_of(element: Mapping[str, Any], pool: Pool, within: Resource) -> frozenset[str]:
    """How an Organization that a Reference names is known, with those it is part of."""
    names: set[str] = set()
    wanted: Mapping[str, Any] | None = element
    for _ in range(_DEPTH):
        found = pool.resolve(wanted, within)
        if found is not None and found["resourceType"] == "PractitionerRole":
            wanted = found.get("organization")
            continue
        if wanted is None or not _is_organization(wanted, found):
            break
        names |= set(_known_as(wanted))
        if found is None:
            break
        names |= {str(name) for name in (found.get("name"), *found.get("alias", [])) if name}
        names |= {f"{i.get('system', '')}|{i['value']}" for i in found.get("identifier", []) if i.get("value")}
        wanted = found.get("partOf")
    return frozenset(names)


def _is_organization(element: Mapping[str, Any], found: Resource | None) -> bool:
    if found is not None:
        return bool(found["resourceType"] == "Organization")
    return element.get("type") == "Organization" or reference_of(element).startswith("Organization/")


def _known_as(element: Mapping[str, Any]) -> Iterator[str]:
    identifier = element.get("identifier", {})
    if identifier.get("value"):
        yield f"{identifier.get('system', '')}|{identifier['value']}"
    yield from (str(text) for text in (reference_of(element), element.get("display")) if text)


def _assigners(resource: Resource, pool: Pool) -> Iterator[str]:
    held = resource.get("identifier", [])
    for identifier in held if isinstance(held, list) else [held]:
        if identifier.get("assigner"):
            assigner = {"type": "Organization", **identifier["assigner"]}
            yield from _names_of(assigner, pool, resource)
