"""The answer to the question about pregnancy, as an Observation for the request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from slipring.fhir.service import Resource

from slipring_order.gathering.pregnancy_stated import LOINC, PREGNANCY_STATUS
from slipring_order.reading import instant

# LOINC answer list LL4129-4 of 82810-3.
NOT_PREGNANT = "not-pregnant"
_ANSWERS = {
    "pregnant": ("LA15173-0", "Pregnant"),
    NOT_PREGNANT: ("LA26683-5", "Not pregnant"),
    "unknown": ("LA4489-6", "Unknown"),
}


def known_answers() -> Sequence[str]:
    """The answers that the question has."""
    return tuple(_ANSWERS)


def as_observation(exam: Resource, answer: str, who: str, *, id: str, now: datetime) -> Resource:
    """Pregnancy status 82810-3 for the exam's request, asked now by a named person."""
    code, display = _ANSWERS[answer]
    observation: Resource = {
        "resourceType": "Observation",
        "id": id,
        "basedOn": exam["basedOn"],
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": PREGNANCY_STATUS, "display": "Pregnancy status"}]},
        "subject": exam.get("for"),
        "effectiveDateTime": instant(now),
        "performer": [{"reference": who}],
        "valueCodeableConcept": {"coding": [{"system": LOINC, "code": code, "display": display}]},
    }
    return {name: value for name, value in observation.items() if value is not None}
