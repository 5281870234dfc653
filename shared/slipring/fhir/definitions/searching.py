"""The search parameters of a service as SearchParameter resources, one per definition, under their official address."""

from __future__ import annotations

from collections.abc import Iterable

from slipring.fhir.definitions.vocabulary import DATE
from slipring.fhir.search.parameter import Path, SearchParameter, parameters_for
from slipring.fhir.service import Resource

_MODIFIERS = frozenset(
    {"missing", "exact", "contains", "not", "text", "in", "not-in", "below", "above", "type", "identifier", "ofType"}
)


def search_parameters(types: Iterable[str]) -> list[Resource]:
    """One resource for each definition; a definition used by several types names them all as its base."""
    found: dict[str, list[SearchParameter]] = {}
    for resource_type in types:
        for parameter in parameters_for(resource_type).values():
            found.setdefault(parameter.url, []).append(parameter)
    return [_search_parameter(url, used) for url, used in sorted(found.items())]


def _search_parameter(url: str, used: list[SearchParameter]) -> Resource:
    first = used[0]
    written: Resource = {
        "resourceType": "SearchParameter",
        "id": url.rpartition("/")[2],
        "url": url,
        "name": first.code,
        "status": "active",
        "date": DATE,
        "description": f"{first.code} ({first.type}) of {', '.join(p.resource for p in used)}",
        "code": first.code,
        "base": sorted({p.resource for p in used}),
        "type": first.type,
    }
    if expression := " | ".join(dict.fromkeys(_fhirpath(p.resource, path) for p in used for path in p.paths)):
        written["expression"] = expression
    if first.parts:
        written["component"] = [
            {"definition": part.parameter.url, "expression": " | ".join(_way(path) for path in part.paths) or "$this"}
            for part in first.parts
        ]
    if targets := sorted({target for p in used for target in p.only or p.targets}):
        written["target"] = targets
    if modifiers := sorted(_MODIFIERS.intersection(*(p.modifiers for p in used))):
        written["modifier"] = modifiers
    return written


def _fhirpath(resource_type: str, path: Path) -> str:
    return ".".join([resource_type, *([_way(path)] if path.steps else [])])


def _way(path: Path) -> str:
    return ".".join(
        step.name + (f".where({step.where[0]} = '{step.where[1]}')" if step.where else "") for step in path.steps
    )
