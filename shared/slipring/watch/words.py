"""The words that logs and spans may show: names we gave a meaning to, never one that a caller made up."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from slipring.fhir.definitions.standard import STANDARD
from slipring.fhir.search.parameter import CONTROLS, parameters_for, searchable_types
from slipring.fhir.service import Service
from slipring.runtime.logs import Words

_TYPES = ("Parameters", "Bundle", "Subscription")


def words_of(services: Iterable[Service]) -> Words:
    """Every R4 type with its search parameters, and the operations of FHIR and of these services."""
    own = (operation.name for service in services for operation in service.operations)
    return Words(
        frozenset([*searchable_types(), *_TYPES]),
        frozenset([*own, *(operation.code for operation in STANDARD)]),
        _parameters(),
    )


@cache
def _parameters() -> frozenset[str]:
    codes = (parameter.code for kind in searchable_types() for parameter in parameters_for(kind).values())
    return frozenset([*codes, *CONTROLS, "_has", "_since", "_at"])
