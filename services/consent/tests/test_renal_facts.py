"""Renal function, the stay and earlier contrast, as records of one patient tell them."""

from __future__ import annotations

import pytest
from slipring.fhir.service import Resource

from tests.support.contrast import EXAM, IOHEXOL, an_egfr
from tests.support.screening import (
    BEFORE,
    LOINC,
    WOMAN,
    a_creatinine,
    a_medicine,
    an_encounter,
    coded,
    known,
)


@pytest.mark.clause("5.4.4.2")
def test_a_creatinine_is_computed_with_its_formula_and_its_age() -> None:
    facts = known(WOMAN, a_creatinine("200"))
    assert (str(facts.egfr_ml_min), facts.egfr_formula, facts.egfr_age_days, facts.sex) == (
        "24.4", "ckd-epi-2021", 1, "female",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("patient", "missing"),
    [
        ({**WOMAN, "birthDate": "1966-03"}, "birth-date"),
        ({**WOMAN, "birthDate": "1966"}, "birth-date"),
        ({key: value for key, value in WOMAN.items() if key != "birthDate"}, "birth-date"),
        ({**WOMAN, "gender": "other"}, "sex"),
        ({key: value for key, value in WOMAN.items() if key != "gender"}, "sex"),
        ({**WOMAN, "birthDate": "2018-01-01"}, "height"),
    ],
)
def test_what_a_formula_lacks_is_asked_and_no_older_value_takes_its_place(patient: Resource, missing: str) -> None:
    facts = known(patient, a_creatinine("200"), an_egfr(90, 9))
    assert (facts.egfr_ml_min, facts.egfr_missing) == (None, missing)


def test_a_child_is_reckoned_by_height_and_the_day_of_the_sample_says_who_is_one() -> None:
    height = {**a_creatinine("1.2", "m"), "id": "o-h", "code": coded(LOINC, "8302-2")}
    child = {**WOMAN, "birthDate": "2008-03-02"}  # eighteen today, seventeen when the sample was taken
    facts = known(child, height, a_creatinine("50"))
    assert (facts.egfr_formula, str(facts.egfr_ml_min)) == ("schwartz-2009", "87.6")
    assert (
        known(child, height, a_creatinine("50", effectiveDateTime="2026-03-02T08:00:00+08:00")).egfr_formula
        == "ckd-epi-2021"
    )


@pytest.mark.parametrize(
    ("quantity", "value", "comparator"),
    [
        ({"valueQuantity": {"value": 90, "comparator": ">", "code": "mL/min/{1.73_m2}"}}, 90, ">"),
        ({"valueQuantity": {"value": 15, "comparator": "<", "code": "mL/min/{1.73_m2}"}}, 15, "<"),
        ({"valueString": ">90 ml/min/1.73m2"}, 90, ">"),
        ({"valueString": "<15 mL/min/1.73 m²"}, 15, "<"),
    ],
)
def test_a_rate_keeps_its_comparator(quantity: Resource, value: int, comparator: str) -> None:
    reported = {key: member for key, member in an_egfr().items() if key != "valueQuantity"} | quantity
    facts = known(reported)
    assert (facts.egfr_ml_min, facts.egfr_comparator) == (value, comparator)
    assert facts.egfr_may_be_below(30) is (comparator == "<")


@pytest.mark.parametrize("status", ["registered", "cancelled", "entered-in-error"])
def test_a_result_that_does_not_stand_is_none(status: str) -> None:
    assert known({**an_egfr(), "status": status}).egfr_missing == "no-sample"


@pytest.mark.parametrize(
    ("code", "inpatient", "valid"), [("IMP", "yes", False), ("EMER", "yes", False), ("AMB", "no", True)]
)
def test_an_old_value_is_too_old_for_an_inpatient(code: str, inpatient: str, valid: bool) -> None:
    facts = known(an_encounter(code), an_egfr(60, 30))
    assert (facts.inpatient, facts.egfr_ml_min is not None) == (inpatient, valid)
    assert valid or (facts.egfr_missing, facts.egfr_too_old_ml_min, facts.egfr_age_days) == ("too-old", 60, 30)


def test_intensive_care_is_known_by_the_place_of_the_stay() -> None:
    place = {"location": {"reference": "Location/o-l", "display": "外科重症监护室"}, "status": "active"}
    assert known(an_encounter("IMP", location=[place])).intensive_care
    assert not known(an_encounter("IMP")).intensive_care


@pytest.mark.parametrize("kind", ["MedicationAdministration", "MedicationStatement"])
def test_earlier_contrast_is_the_latest_moment_that_may_be_meant(kind: str) -> None:
    facts = known(a_medicine(kind, "completed", IOHEXOL, effectiveDateTime="2026-02-27"))
    assert facts.last_contrast_at is not None and facts.last_contrast_at.isoformat() == "2026-02-27T16:00:00+00:00"
    assert known(a_medicine(kind, "completed", IOHEXOL)).last_contrast_at is None
    own = a_medicine(kind, "completed", IOHEXOL, effectiveDateTime=BEFORE, supportingInformation=[{"reference": EXAM}])
    assert (known(own).last_contrast_at is None) is (kind == "MedicationAdministration")
