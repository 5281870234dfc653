"""All that a service says about itself, by type and id; made once from its declarations, stored nowhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from slipring.fhir.definitions.compartment import patient_compartment_definition
from slipring.fhir.definitions.operations import operation_definitions
from slipring.fhir.definitions.searching import search_parameters
from slipring.fhir.definitions.standard import STANDARD
from slipring.fhir.definitions.terminology import TERMINOLOGY
from slipring.fhir.definitions.vocabulary import as_code_system, as_value_set
from slipring.fhir.profiles import profiles
from slipring.fhir.search.index import Rows, rows
from slipring.fhir.service import Resource, Service
from slipring.fhir.terminology import code_systems, value_sets
from slipring.fhir.topics.basic import as_basic

# The types that are answered from declarations, in the order of the CapabilityStatement.
TYPES = (
    "Basic",
    "CodeSystem",
    "CompartmentDefinition",
    "OperationDefinition",
    "SearchParameter",
    "StructureDefinition",
    "ValueSet",
)
_NO_ID = re.compile(r"[^A-Za-z0-9.-]+")
_LONGEST_ID = 64


@dataclass(frozen=True)
class Catalogue:
    """The definitions of one service: type -> id -> resource."""

    by_type: Mapping[str, Mapping[str, Resource]]

    def read(self, resource_type: str, resource_id: str) -> Resource | None:
        """One definition, or None."""
        return self.by_type.get(resource_type, {}).get(resource_id)

    @cached_property
    def indexed(self) -> Mapping[str, tuple[tuple[Resource, Rows], ...]]:
        """Every definition with its search rows, by type and in order of their ids."""
        return {name: tuple((found, rows(found)) for found in self.all(name)) for name in self.by_type}

    def all(self, resource_type: str) -> tuple[Resource, ...]:
        """All definitions of a type, by id."""
        found = self.by_type.get(resource_type, {})
        return tuple(found[name] for name in sorted(found))


def catalogue_of(service: Service) -> Catalogue:
    """Everything about one running service; the vocabulary is that of the whole process."""
    types = [*(keeps.type for keeps in service.keeps), "AuditEvent"]  # made from the audit rows, kept by nobody
    # Ids are the ends of addresses; where two addresses end alike, the whole address makes the id.
    systems, sets = _ids(one.url for one in code_systems()), _ids(one.url for one in value_sets())
    return Catalogue(
        {
            "Basic": _by_id(as_basic(one) for one in service.topics),
            "CodeSystem": _by_id(as_code_system(one, systems[one.url]) for one in code_systems()),
            "CompartmentDefinition": _by_id([patient_compartment_definition(types)]),
            "OperationDefinition": _by_id(
                [
                    *operation_definitions(service.operations),
                    *(one.definition() for one in (*STANDARD, *TERMINOLOGY)),
                ]
            ),
            "SearchParameter": _by_id(search_parameters([*types, *TYPES])),
            "StructureDefinition": _by_id(one.structure_definition() for one in profiles()),
            "ValueSet": _by_id(as_value_set(one, sets[one.url]) for one in value_sets()),
        }
    )


def _by_id(resources: Iterable[Resource]) -> Mapping[str, Resource]:
    found: dict[str, Resource] = {}
    for resource in resources:
        assert resource["id"] not in found, f"two definitions have the id {resource['id']}"  # noqa: S101  # our own data
        found[resource["id"]] = resource
    return found


def _ids(urls: Iterable[str]) -> Mapping[str, str]:
    found: dict[str, str] = {}
    taken: set[str] = set()
    for url in urls:
        short = _clean(url.rpartition("/")[2])
        found[url] = short if short not in taken else _clean(url.partition("://")[2])
        taken.add(found[url])
    return found


def _clean(text: str) -> str:
    return _NO_ID.sub("-", text)[-_LONGEST_ID:].strip("-.")
