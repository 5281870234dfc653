"""The front's CapabilityStatement: the union of what the services state, and nothing they do not. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

Tree = dict[str, Any]


def united(statements: Mapping[str, Tree], away: Sequence[str], base: str, now: datetime) -> Tree:
    """One statement out of the services'; for a type with several keepers only what all of them offer.

    A service that cannot be reached is named: its types are not claimed meanwhile.
    """
    by_type: dict[str, list[tuple[str, Tree]]] = {}
    for service, statement in statements.items():
        for resource in _rest(statement).get("resource", ()):
            by_type.setdefault(resource["type"], []).append((service, resource))
    where = {"description": "slipring, the address of all four services", "url": base}
    if away:
        where["description"] += f"; not reachable now: {', '.join(away)}"
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": now.isoformat(timespec="seconds"),
        "kind": "instance",
        "software": {"name": "slipring"},
        "implementation": where,
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {
                "mode": "server",
                "security": _security(base),
                "resource": [_together(offers) for _, offers in sorted(by_type.items())],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }


def _rest(statement: Tree) -> Tree:
    return next(iter(statement.get("rest", ())), {})


def _security(base: str) -> Tree:
    front = base.removesuffix("/fhir")
    return {
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
                "extension": [{"url": "token", "valueUri": f"{front}/auth/token"}],
            }
        ],
    }


def _together(offers: Sequence[tuple[str, Tree]]) -> Tree:
    services = ", ".join(service for service, _ in offers)
    resources = [resource for _, resource in offers]
    together = {**resources[0], "documentation": f"Kept by {services}."}
    if len(resources) == 1:
        return together
    for member, named in (("interaction", "code"), ("searchParam", "name")):
        together[member] = _offered_by_all([resource.get(member, []) for resource in resources], named)
    for member in ("searchInclude", "searchRevInclude"):
        together[member] = [
            item for item in resources[0].get(member, ()) if all(item in other.get(member, ()) for other in resources)
        ]
    operations = [operation for resource in resources for operation in resource.get("operation", ())]
    together["operation"] = list({operation["name"]: operation for operation in operations}.values())
    for member in ("conditionalCreate", "conditionalUpdate", "updateCreate", "readHistory"):
        if member in together:
            together[member] = all(resource.get(member) for resource in resources)
    # Conditional deletes would have to hold at several keepers at once: the front does not offer them.
    together.pop("conditionalDelete", None)
    return {name: value for name, value in together.items() if value != []}


def _offered_by_all(lists: Sequence[Sequence[Tree]], named: str) -> list[Tree]:
    names = [{item[named] for item in items} for items in lists]
    return [item for item in lists[0] if all(item[named] in known for known in names)]
