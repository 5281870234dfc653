"""Facts as houses really write them: signs, codes without a system, drugs by their pack, dates of delivery."""

from typing import Any

import pytest
from slipring.fhir.service import Resource

from tests.support.assessing import a_bundle, a_patient, answered
from tests.support.contrast import PATIENT, a_request, a_screening, an_egfr
from tests.support.desk import ADesk

RENAL, METFORMIN = "consent.renal-function", "consent.metformin"


async def found(*facts: Resource, response: Resource | None = None, **patient: Any) -> dict[str, str]:
    bundle = a_bundle(a_patient(**patient), a_request(), *facts)
    told = await answered(ADesk(letter="c"), bundle=bundle, response=response or a_screening())
    return dict(told["esur-10"]["found"])


def written(text: str, code: str = "98979-8") -> Resource:
    sample = {name: value for name, value in an_egfr(days_old=1).items() if name != "valueQuantity"}
    return {
        **sample,
        "id": "o-new",
        "valueString": text,
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
    }


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("<15 ml/min/1.73m²", "of-15"),
        ("＜15 ml/min/1.73m²", "of-15"),
        ("≤15 ml/(min·1.73m²)", "of-15"),
        ("１５ ml/min/1.73㎡", "of-15"),
        ("＞60 ml/min/1.73m2", None),
        ("≥60 ml/min·1.73m2", None),
        ("待查", "ask"),
        ("12,5 ml/min", "ask"),
        (">60", "ask"),
    ],
)
async def test_a_result_in_words_is_read_with_its_sign_and_an_unreadable_one_hides_no_newer_value(
    text: str, weight: str | None
) -> None:
    wanted = (await found(an_egfr(15, days_old=1))).get(RENAL) if weight == "of-15" else weight
    assert (await found(an_egfr(90, days_old=5), written(text))).get(RENAL) == wanted


@pytest.mark.parametrize("unit", ["µmol/L", "μmol/L", "umol/L"])
async def test_both_signs_of_micro_are_one(unit: str) -> None:
    sample = written(f"700 {unit}", "14682-9")
    assert (await found(sample)).get(RENAL) == (await found(an_egfr(8))).get(RENAL) is not None


def condition(*codings: Resource, **members: Any) -> Resource:
    return {"resourceType": "Condition", "id": "o-c", "subject": PATIENT, "code": {"coding": [*codings]}, **members}


def statement(*codings: Resource) -> Resource:
    return {
        "resourceType": "MedicationStatement", "id": "o-m", "subject": PATIENT, "status": "active",
        "medicationCodeableConcept": {"coding": [*codings]},
    }  # fmt: skip


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    "system", [{}, {"system": "http://nhsa.example/icd10-yibao"}, {"system": "http://hl7.org/fhir/sid/icd-10"}]
)
@pytest.mark.parametrize("code", ["E05.900x001", "E05.9", "E05"])
async def test_hyperthyroidism_is_known_by_its_chinese_code_alone(system: Resource, code: str) -> None:
    assert "consent.thyroid" in await found(an_egfr(), condition({**system, "code": code}))


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("coding", "counts"),
    [
        ({"system": "http://www.whocc.no/atc", "code": "A10BD28"}, True),
        ({"system": "http://www.whocc.no/atc", "code": "A10BD20"}, True),
        ({"system": "http://www.whocc.no/atc", "code": "A10BD19"}, False),
        (
            {
                "system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "860975",
                "display": "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet",
            },
            True,
        ),
        ({"system": "http://snomed.info/sct", "code": "325278007", "display": "Metformin hydrochloride 500 mg oral tablet"}, True),
        ({"system": "http://www.whocc.no/atc", "code": "C10AA05", "display": "metformin"}, False),
    ],
)  # fmt: skip
async def test_metformin_is_known_in_every_pack_it_is_sold_in(coding: Resource, counts: bool) -> None:
    assert (METFORMIN in await found(an_egfr(25), statement(coding))) is counts


async def test_one_question_answered_twice_differently_is_not_answered() -> None:
    answers = a_screening()
    [asked] = [one for one in answers["item"] if one["linkId"] == "prior-reaction"]
    worse = {"valueCoding": {**asked["answer"][0]["valueCoding"], "code": "severe"}}
    twice = [{**one, "answer": [worse, *one["answer"]]} if one is asked else one for one in answers["item"]]
    assert (await found(an_egfr(), response={**answers, "item": twice}))["consent.prior-reaction"] == "ask"


async def test_a_contrast_statement_that_is_called_active_was_given_all_the_same() -> None:
    given = statement({"system": "http://www.whocc.no/atc", "code": "V08AB02"}) | {
        "effectivePeriod": {"start": "2026-03-02T08:00:00+08:00", "end": "2026-03-02T08:01:00+08:00"}
    }
    assert {"consent.repeat-contrast"} == {*await found(an_egfr(), given)} - {*await found(an_egfr())}


async def test_a_reaction_whose_severity_is_no_code_is_asked_about() -> None:
    allergy = {
        "resourceType": "AllergyIntolerance", "id": "o-a", "patient": PATIENT,
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "293638001"}]},
        "reaction": [{"severity": "fatal", "manifestation": [{"text": "休克"}]}],
    }  # fmt: skip
    assert "consent.prior-reaction" in await found(an_egfr(), allergy)


def expected_on(day: str) -> Resource:
    code = {"coding": [{"system": "http://loinc.org", "code": "11778-8"}]}
    return {
        "resourceType": "Observation", "id": "o-edd", "status": "final", "subject": PATIENT, "code": code,
        "effectiveDateTime": "2026-01-05", "valueDateTime": day,
    }  # fmt: skip


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(("day", "asks"), [("2026-08-01", True), ("2026-08", True), ("2025-06-01", False)])
async def test_a_delivery_that_is_expected_is_a_doubt_in_an_answered_no(day: str, asks: bool) -> None:
    woman = {"gender": "female", "birthDate": "1996-01-01"}
    answers = a_screening(pregnancy="N")
    before = await found(an_egfr(), response=answers, **woman)
    after = await found(an_egfr(), expected_on(day), response=answers, **woman)
    assert (after != before) is asks


async def test_a_man_of_whom_a_record_says_pregnant_is_no_clear_case() -> None:
    status = {
        "resourceType": "Observation", "id": "o-p", "status": "final", "subject": PATIENT, "issued": "2026-03-01T00:00:00Z",
        "code": {"coding": [{"system": "http://loinc.org", "code": "82810-3"}]},
        "valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "LA15173-0"}]},
    }  # fmt: skip
    assert "consent.pregnancy" in await found(an_egfr(), status)
