"""The invariants of FHIR R4 as plain predicates, by theme; `plan` puts them where a walk meets them."""

from slipring.fhir.checks.invariants import administrative, bundles, clinical, datatypes, questionnaires, timing
from slipring.fhir.checks.invariants.invariant import Invariant, declared

__all__ = [
    "Invariant", "administrative", "bundles", "clinical", "datatypes", "declared", "questionnaires", "timing",
]  # fmt: skip
