"""The front's CapabilityStatement: the union of what the services state, and nothing they do not. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from slipring.fhir.caller import BY_TYPE_ONLY
from slipring.fhir.definitions.catalogue import TYPES
from slipring.fhir.search.stated import includes, reverse_includes, search_parameters

Tree = dict[str, Any]
# Of a type with several keepers the front offers what every one of them offers.
_LISTS_OF_ALL = {"interaction": "code", "searchParam": "name"}
_FLAGS = ("conditionalCreate", "conditionalUpdate", "conditionalPatch", "updateCreate", "readHistory")
_CHOICES = {"conditionalRead": "not-supported", "conditionalDelete": "not-supported", "versioning": "no-version"}
# What one of them offers is offered: the front sends it there.
_UNIONS = ("supportedProfile", "referencePolicy", "extension")


def united(statements: Mapping[str, Tree], away: Sequence[str], base: str, now: datetime, version: str = "") -> Tree:
    """One statement out of the services'; for a type with several keepers only what all of them offer.

    A service that cannot be reached is named: its types are not claimed meanwhile.
    """
    by_type: dict[str, list[tuple[str, Tree]]] = {}
    for service, statement in statements.items():
        for resource in _rest(statement).get("resource", ()):
            by_type.setdefault(resource["type"], []).append((service, resource))
    rests = [_rest(statement) for statement in statements.values()]
    where = {"description": "slipring, the address of all four services", "url": base}
    if away:
        where["description"] += f"; not reachable now: {', '.join(away)}"
    software = {"name": "slipring"} | ({"version": version} if version else {})
    kept = set(by_type) - set(TYPES)
    rest = {
        "mode": "server",
        "security": _security(base, rests),
        "resource": [_together(offers, kept) for _, offers in sorted(by_type.items())],
        "interaction": _of_all([rest.get("interaction", []) for rest in rests], "code"),
        "searchParam": _of_all([rest.get("searchParam", []) for rest in rests], "name"),
        "operation": _operations(rests),
        "compartment": _distinct(rests, "compartment"),
    }
    statement = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": now.isoformat(timespec="seconds"),
        "kind": "instance",
        "name": "slipring",
        "title": "slipring",
        "software": software,
        "implementation": where,
        "fhirVersion": "4.0.1",
        "format": _shared_words(list(statements.values()), "format") or ["application/fhir+json"],
        "patchFormat": _shared_words(list(statements.values()), "patchFormat"),
        "acceptLanguage": _shared_words(list(statements.values()), "acceptLanguage"),
        "implementationGuide": _distinct(list(statements.values()), "implementationGuide"),
        "rest": [{name: value for name, value in rest.items() if value != []}],
    }
    return {name: value for name, value in statement.items() if value != []}


def _rest(statement: Tree) -> Tree:
    return next(iter(statement.get("rest", ())), {})


def _security(base: str, rests: Sequence[Tree]) -> Tree:
    front = base.removesuffix("/fhir")
    stated: Tree = next((rest["security"] for rest in rests if "security" in rest), {})
    return {
        **stated,
        "service": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                        "code": "SMART-on-FHIR",
                    }
                ]
            }
        ],
        "extension": [
            {
                "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
                "extension": [
                    {"url": name, "valueUri": f"{front}/auth/{name}"} for name in ("token", "authorize", "revoke")
                ],
            }
        ],
    }


def _together(offers: Sequence[tuple[str, Tree]], kept: Collection[str]) -> Tree:
    """What the front offers for a type; includes lead to every kept type, whoever keeps it."""
    services = ", ".join(service for service, _ in offers)
    resources = [resource for _, resource in offers]
    told = "Kept by" if resources[0]["type"] in kept else "Made from the declarations of"
    together = {**resources[0], "documentation": f"{told} {services}."}
    for member, named in _LISTS_OF_ALL.items():
        together[member] = _of_all([resource.get(member, []) for resource in resources], named)
    for member in _FLAGS:
        if member in together:
            together[member] = all(resource.get(member) for resource in resources)
    for member, none in _CHOICES.items():
        if member in together and any(resource.get(member) != together[member] for resource in resources):
            together[member] = none
    for member in _UNIONS:
        together[member] = _distinct(resources, member)
    together["operation"] = _operations(resources)
    if together["type"] in kept:  # definitions include nothing
        linked = [one for one in kept if one not in BY_TYPE_ONLY]
        if together["type"] in linked:
            together["searchInclude"] = includes(together["type"], linked)
            together["searchRevInclude"] = reverse_includes(together["type"], linked)
        here = {one["name"]: one for one in search_parameters(together["type"], kept)}
        together["searchParam"] = [here.get(one["name"], one) for one in together.get("searchParam", ())]
    return {name: value for name, value in together.items() if value != []}


def _operations(holders: Sequence[Tree]) -> list[Tree]:
    operations = [operation for holder in holders for operation in holder.get("operation", ())]
    return list({operation["name"]: operation for operation in operations}.values())


def _distinct(holders: Sequence[Tree], member: str) -> list[Any]:
    found: list[Any] = []
    for holder in holders:
        found += [value for value in holder.get(member, ()) if value not in found]
    return found


def _shared_words(holders: Sequence[Tree], member: str) -> list[str]:
    first = holders[0].get(member, []) if holders else []
    return [word for word in first if all(word in holder.get(member, ()) for holder in holders)]


def _of_all(lists: Sequence[Sequence[Tree]], named: str) -> list[Tree]:
    """The items that every list has, as the first one writes them."""
    names = [{item[named] for item in items} for items in lists]
    return [item for item in (lists[0] if lists else ()) if all(item[named] in known for known in names)]
