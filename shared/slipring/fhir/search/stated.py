"""What CapabilityStatement and docs say about searching: written from the declaration that the parser runs on."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from slipring.fhir.search.include import Include, references_of
from slipring.fhir.search.parameter import SearchParameter, parameters_for

_PREFIXED = ("date", "number", "quantity")


def search_parameters(resource_type: str, held: Collection[str]) -> list[dict[str, Any]]:
    """`CapabilityStatement.rest.resource.searchParam` of a type where these types are held: all that the parser takes."""
    stated = []
    for one in parameters_for(resource_type).values():
        told = documentation(one, held)
        written = {"name": one.code, "definition": one.url, "type": one.type}
        stated.append({**written, "documentation": told} if told else written)
    return stated


def documentation(parameter: SearchParameter, held: Collection[str]) -> str:
    """One line: modifiers, prefixes, and what a chain may lead to."""
    told = []
    modifiers = [f":{modifier}" for modifier in parameter.modifiers]
    if parameter.type == "reference" and not parameter.canonical:
        modifiers.append(":[type]")
    if modifiers:
        told.append(f"Modifiers: {' '.join(modifiers)}.")
    if parameter.type in _PREFIXED:
        told.append("Prefixes: eq ne gt ge lt le sa eb ap.")
    if parameter.type == "reference":
        targets = [one for one in parameter.targets if one in held] if parameter.targets else ["any type held"]
        told.append(f"Chains to {', '.join(targets)}." if targets else "")
    if parameter.parts:
        told.append("Both in one element: " + "$".join(part.parameter.code for part in parameter.parts) + ".")
    if not parameter.sortable:
        told.append("Not for _sort.")
    return " ".join(one for one in told if one)


def includes(resource_type: str, kept: Collection[str]) -> list[str]:
    """`searchInclude`: the references of a type that lead to a kept one; `*` is all of them."""
    found = [
        f"{resource_type}:{one.code}"
        for one in references_of(resource_type)
        if Include(False, False, resource_type, one.code).given(kept)
    ]
    return ["*", *found] if found else []


def reverse_includes(resource_type: str, kept: Collection[str]) -> list[str]:
    """`searchRevInclude`: the references of kept types that may lead to this one."""
    found = [
        f"{source}:{one.code}"
        for source in sorted(kept)
        for one in references_of(source)
        if not one.targets or resource_type in one.targets
    ]
    return ["*", *found] if found else []
