"""Code systems and value sets that are shipped: R4's required bindings, and what the running services declare."""

from slipring.fhir.terminology.concept import CodeSystem, Concept, ValueSet
from slipring.fhir.terminology.registry import code_system, code_systems, declare, value_set, value_set_urls, value_sets

__all__ = [
    "CodeSystem",
    "Concept",
    "ValueSet",
    "code_system",
    "code_systems",
    "declare",
    "value_set",
    "value_set_urls",
    "value_sets",
]
