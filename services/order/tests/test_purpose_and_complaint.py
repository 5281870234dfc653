"""A purpose is one when no reason, and no diagnosis that a reason points at, states a complaint."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.service import Resource
from slipring_order.gathering.reasons_stated import purpose_stated
from slipring_order.reading import Pool

ICD10, SNOMED = "http://hl7.org/fhir/sid/icd-10", "http://snomed.info/sct"


def purpose(condition: Any, *reasons: Any) -> str:
    request: Resource = {
        "resourceType": "ServiceRequest", "id": "r", "reasonCode": list(reasons),
        "reasonReference": [{"reference": "Condition/c"}],
    }  # fmt: skip
    pool = Pool()
    pool.add(request, {"resourceType": "Condition", "id": "c", "code": condition})
    return purpose_stated(request, pool)


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("condition", "stated"),
    [
        ({"text": "咳嗽2周，咯血"}, ""),
        ({"coding": [{"system": SNOMED, "code": "66857006", "display": "咯血"}]}, ""),
        ({"coding": [{"system": ICD10, "code": "R04.2", "display": "咯血"}]}, ""),
        ({"text": "健康体检"}, "health-check"),
        ({"coding": [{"system": ICD10, "code": "Z00.0", "display": "一般性医学检查"}]}, "health-check"),
        (
            {"coding": [{"system": ICD10, "code": "Z00.0", "display": "一般性医学检查"}], "text": "一般性医学检查"},
            "health-check",
        ),
    ],
)
def test_a_complaint_that_only_a_diagnosis_holds_is_a_complaint(condition: Any, stated: str) -> None:
    assert purpose(condition, {"text": "体检"}) == stated


def test_a_purpose_that_only_a_diagnosis_states_is_one() -> None:
    assert purpose({"text": "体检"}) == "health-check"
