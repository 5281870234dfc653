"""An assessment of what nobody foresaw: refuted allergies, other units, half a birth date, comparators."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from slipring.fhir.service import Resource
from slipring_consent.screening.assessing import CLEARANCES

from tests.support.assessing import a_bundle, a_patient, answered
from tests.support.contrast import PATIENT, a_request, a_screening, an_egfr
from tests.support.desk import ADesk


@pytest.mark.parametrize(
    ("changed", "weight"),
    [
        ({"verificationStatus": "refuted"}, None),
        ({"verificationStatus": "entered-in-error"}, None),
        ({"clinicalStatus": "inactive"}, None),
        ({"clinicalStatus": "resolved"}, None),
        ({"clinicalStatus": "active"}, "stop"),
        ({}, "stop"),
    ],
)
async def test_allergies_that_do_not_stand_do_not_count(changed: dict[str, str], weight: str | None) -> None:
    allergy: Resource = {
        "resourceType": "AllergyIntolerance", "id": "o-a", "patient": PATIENT, "criticality": "high",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "293638001"}]},
        **{name: {"coding": [{"code": code}]} for name, code in changed.items()},
    }  # fmt: skip
    bundle = a_bundle(a_patient(), a_request(), an_egfr(90), allergy)
    told = await answered(ADesk(letter="c"), bundle=bundle, response=a_screening())
    assert told["esur-10"]["found"].get("consent.prior-reaction") == weight


async def test_creatinine_in_either_unit_says_the_same_and_the_issue_tells_formula_and_sample() -> None:
    told = []
    for value, unit in ((221, "umol/L"), (2.5, "mg/dL")):
        sample = {
            **an_egfr(), "code": {"coding": [{"system": "http://loinc.org", "code": "14682-9" if unit == "umol/L" else "2160-0"}]},
            "valueQuantity": {"value": value, "code": unit, "system": "http://unitsofmeasure.org"},
        }  # fmt: skip
        bundle = a_bundle(a_patient(birthDate="1956-01-01"), a_request(), sample)
        one = (await answered(ADesk(letter="c"), bundle=bundle, response=a_screening()))["acr-2024"]
        assert one["found"]["consent.renal-function"] == "warn"
        [issue] = [each for each in one["issues"] if "consent.renal-function" in str(each["code"])]
        seen = [code["text"] for each in issue["evidence"] for code in each["code"]]
        assert any(text.startswith("egfr_formula: ckd-epi") for text in seen)
        assert any(text.startswith("egfr_at: 2026-02-27") for text in seen)
        told.append(issue["detail"])
    assert told[0] == told[1]


@pytest.mark.parametrize(
    "members", [{"birthDate": "1981"}, {"birthDate": "1981-05"}, {"birthDate": None}, {"gender": None}]
)
async def test_creatinine_without_a_whole_birth_date_or_a_sex_is_no_value(members: dict[str, Any]) -> None:
    patient = {name: value for name, value in a_patient(**members).items() if value}
    sample = {**an_egfr(), "code": {"coding": [{"system": "http://loinc.org", "code": "14682-9"}]}}
    sample["valueQuantity"] = {"value": 70, "code": "umol/L", "system": "http://unitsofmeasure.org"}
    bundle = a_bundle(patient, a_request(), sample)
    told = await answered(ADesk(letter="c"), bundle=bundle, response=a_screening())
    assert {one["found"]["consent.renal-function"] for one in told.values()} == {"ask"}


@given(
    birth=some.sampled_from(["", "1950", "1981-05", "1981-05-06", "2024-01-01", "2030-01-01"]),
    sex=some.sampled_from(["male", "female", "other", "unknown"]),
    value=some.decimals(0, 3000, places=1),
    unit=some.sampled_from(["umol/L", "mg/dL", "mL/min/{1.73_m2}", "mL/min", "kg", "?"]),
    code=some.sampled_from(["98979-8", "62238-1", "14682-9", "2160-0", "33914-3"]),
    comparator=some.sampled_from([None, "<", "<=", ">", ">="]),
    days_old=some.integers(-5, 400),
)
async def test_whatever_a_result_says_each_pack_gives_one_of_its_four_answers(
    birth: str, sex: str, value: Any, unit: str, code: str, comparator: str | None, days_old: int
) -> None:
    patient = a_patient(gender=sex, **({"birthDate": birth} if birth else {}))
    quantity = {"value": float(value), "unit": unit, "code": unit, "system": "http://unitsofmeasure.org"}
    sample = {
        **an_egfr(days_old=days_old),
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "valueQuantity": quantity | ({"comparator": comparator} if comparator else {}),
    }
    told = await answered(ADesk(letter="c"), bundle=a_bundle(patient, a_request(), sample), response=a_screening())
    assert {one["clearance"] for one in told.values()} <= set(CLEARANCES)
