"""The worst reaction to contrast that is known of a patient: from allergies he has here, and those that consent keeps."""

from __future__ import annotations

from collections.abc import Iterator

from slipring.fhir.service import Resource
from slipring.rules.contrast import names_contrast_allergy

from slipring_order.reading import Pool, codes

GRADES = ("none", "unknown", "mild", "moderate", "severe")
_NOT_SO = frozenset({"inactive", "resolved", "refuted", "entered-in-error"})


def contrast_reaction(patient: Resource, pool: Pool) -> str:
    """none, unknown (an allergy without a grade), mild, moderate or severe; what was refuted or is over does not count."""
    return max(_grades(patient, pool), key=GRADES.index, default="none")


def _grades(patient: Resource, pool: Pool) -> Iterator[str]:
    for allergy in pool.of_type("AllergyIntolerance"):
        said = {*codes(allergy.get("verificationStatus")), *codes(allergy.get("clinicalStatus"))}
        if said & _NOT_SO or not pool.same(allergy.get("patient"), patient) or not _to_contrast(allergy):
            continue
        yield "severe" if allergy.get("criticality") == "high" else "unknown"
        yield from (one["severity"] for one in allergy.get("reaction", []) if one.get("severity") in GRADES)


def _to_contrast(allergy: Resource) -> bool:
    return names_contrast_allergy(allergy.get("code"), *(one.get("substance") for one in allergy.get("reaction", [])))
