"""What is stored of the shipped catalogue: what is absent, and what nobody has changed since it was shipped. Pure.

Each shipped resource carries a print of itself. As long as its content still gives that print, it is ours to renew; a
department's own version gives another and is left alone, in every later release as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from slipring.fhir.service import CANONICAL, Resource, Save, Stored
from slipring.fhir.text import encode

from slipring_order.catalogue import own_codes
from slipring_order.offer.activity import activity_definition
from slipring_order.offer.protocols import protocols

SHIPPED = f"{CANONICAL}/StructureDefinition/shipped"
_NOT_CONTENT = ("meta", "text")


def shipped() -> list[Resource]:
    """Every exam and protocol of this release, each with its print."""
    return [_printed(resource) for resource in (*map(activity_definition, own_codes().values()), *protocols())]


def to_store(release: Iterable[Resource], standing: Mapping[str, Stored], gone: frozenset[str]) -> Iterator[Save]:
    """What a release brings: `standing` is what is stored by reference, `gone` what was stored once and deleted since."""
    for resource in release:
        reference = reference_to(resource)
        stored = standing.get(reference)
        if stored is None:
            if reference not in gone:
                yield Save(resource)
        elif is_as_shipped(stored.resource) and print_in(stored.resource) != print_in(resource):
            yield Save(resource, replaces=stored.version)


def reference_to(resource: Resource) -> str:
    """The relative reference of a shipped resource."""
    return f"{resource['resourceType']}/{resource['id']}"


def is_as_shipped(resource: Resource) -> bool:
    """Whether nobody has changed what was shipped."""
    return print_in(resource) == print_of(resource)


def print_in(resource: Resource) -> str:
    """The print that a resource carries, or an empty string."""
    found = (e.get("valueString") for e in resource.get("extension", []) if e.get("url") == SHIPPED)
    return next((str(value) for value in found if value), "")


def print_of(resource: Resource) -> str:
    """The print of the content: everything but the print itself and what the server writes."""
    content = {name: value for name, value in sorted(resource.items()) if name not in _NOT_CONTENT}
    content["extension"] = [e for e in resource.get("extension", []) if e.get("url") != SHIPPED]
    return hashlib.sha256(encode(content).encode()).hexdigest()


def _printed(resource: Resource) -> Resource:
    mark = {"url": SHIPPED, "valueString": print_of(resource)}
    return {**resource, "extension": [*resource.get("extension", []), mark]}
