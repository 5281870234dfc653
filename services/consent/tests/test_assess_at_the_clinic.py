"""Patients as a pharmacist or a radiologist would think them up: whose sample counts, who is allergic to what, in which words."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.service import Resource

from tests.support.assessing import a_bundle, a_patient, answered
from tests.support.contrast import PATIENT, a_request, a_screening, an_egfr
from tests.support.desk import ADesk
from tests.support.screening import a_condition, a_creatinine, a_medicine, coded

RENAL, AKI, REACTION = "consent.renal-function", "consent.acute-kidney-injury", "consent.prior-reaction"
SEVERE = {
    "clinicalStatus": {"coding": [{"code": "active"}]},
    "criticality": "high",
    "reaction": [{"severity": "severe", "manifestation": [{"text": "喉头水肿"}]}],
}
CHILD, INFANT = {"birthDate": "2016-02-01"}, {"birthDate": "2025-04-01"}
LOINC = "http://loinc.org"


async def found(*facts: Resource, request: Any = None, response: Resource | None = None, **patient: Any) -> Any:
    bundle = a_bundle(a_patient(**patient), a_request(**(request or {})), *facts)
    told = await answered(ADesk(letter="c"), bundle=bundle, response=response or a_screening())
    return told["esur-10"]["found"]


def an_allergy(text: str, id: str = "o-a", **members: Any) -> Resource:
    return {"resourceType": "AllergyIntolerance", "id": id, "patient": PATIENT, "code": {"text": text}} | members


def a_rate(value: int, code: str, **members: Any) -> Resource:
    rate = an_egfr(value, days_old=1) | {"id": f"o-{value}", "code": coded(LOINC, code)} | members
    return {name: member for name, member in rate.items() if member is not None}


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    "text",
    [
        "碘海醇", "欧乃派克", "造影剂", "非离子型碘对比剂", "碘对比剂及钆对比剂",
        "Iodinated contrast media", "IV contrast dye", "Omnipaque 350",
    ],
)  # fmt: skip
async def test_a_severe_allergy_to_contrast_counts_in_whatever_words_it_is_recorded(text: str) -> None:
    assert (await found(an_egfr(), an_allergy(text, **SEVERE)))[REACTION] == "stop"


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    "text",
    # ACR Manual 2024, patient selection: another class of contrast, shellfish and iodine on the skin are no risk of their own.
    [
        "钆对比剂", "钆喷酸葡胺", "Gadolinium-based contrast agent", "核磁造影剂", "硫酸钡造影剂", "超声造影剂",
        "海鲜", "碘伏", "造影剂皮试阴性", "否认造影剂过敏",
    ],
)  # fmt: skip
async def test_what_is_no_allergy_to_iodinated_contrast_is_none(text: str) -> None:
    assert REACTION not in await found(an_egfr(), an_allergy(text, **SEVERE))


async def test_the_agent_of_a_reaction_is_known_by_its_name_and_one_that_nobody_knows_counts_as_the_same() -> None:
    other = {"request": {"orderDetail": [coded("http://www.whocc.no/atc", "V08AB09")]}}
    named, unnamed = an_allergy("欧乃派克", **SEVERE), an_allergy("造影剂", id="o-b", **SEVERE)
    mild = an_allergy("碘海醇", id="o-c", reaction=[{"severity": "mild", "manifestation": [{"text": "荨麻疹"}]}])
    assert (await found(an_egfr(), named, **other))[REACTION] == "ask"
    assert (await found(an_egfr(), named, unnamed, **other))[REACTION] == "stop"
    assert (await found(an_egfr(), unnamed, mild, **other))[REACTION] == "stop"
    answered_too = a_screening(prior_reaction="severe")
    assert (await found(an_egfr(), named, response=answered_too, **other))[REACTION] == "ask"


@pytest.mark.clause("5.4.4.2")
@pytest.mark.parametrize(
    ("patient", "samples", "weight"),
    [
        # KDIGO 2024 1.2: equations of adults from 18 years; bedside Schwartz was derived from 1 to 16 years.
        (CHILD, [a_rate(100, "98979-8")], "ask"),
        (CHILD, [a_rate(100, "33914-3")], "ask"),
        (CHILD, [a_rate(100, "50384-7")], None),
        ({}, [a_rate(100, "50384-7")], "ask"),
        ({}, [a_rate(80, "50210-4")], None),
        (INFANT, [a_creatinine("25"), a_creatinine("72", "cm", id="o-h", code=coded(LOINC, "8302-2"))], "ask"),
        # Not verified, dated only by its issue, or not dated at all: a lower one clears nobody, a higher one takes nothing away.
        ({}, [an_egfr(), a_rate(20, "98979-8", status="preliminary")], "ask"),
        ({}, [an_egfr(), a_rate(95, "98979-8", status="preliminary")], None),
        ({}, [an_egfr(25), a_rate(95, "98979-8", status="preliminary")], "warn"),
        ({}, [a_rate(95, "98979-8", status="preliminary")], "ask"),
        ({}, [a_rate(95, "98979-8", effectiveDateTime=None, issued="2026-03-01T00:00:00Z")], None),
        ({}, [an_egfr(), a_rate(20, "98979-8", effectiveDateTime=None, issued="2026-03-01T00:00:00Z")], "warn"),
        ({}, [an_egfr(), a_rate(20, "98979-8", effectiveDateTime=None)], "ask"),
        ({}, [a_creatinine("0.000088", "mol/L")], None),
        ({}, [a_creatinine("88", "10*-6.mol/L")], None),
        ({}, [a_creatinine("88", "mg/dL")], "ask"),
    ],
)
async def test_a_result_counts_where_its_formula_holds_and_somebody_has_verified_and_dated_it(
    patient: Resource, samples: list[Resource], weight: str | None
) -> None:
    assert (await found(*samples, **patient)).get(RENAL) == weight


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("earlier", "hours", "newest", "injured"),
    [
        # KDIGO AKI 2012, 2.1.1: by 26.5 umol/l within 48 h, or to 1.5 times within 7 d.
        ("80", 48, "107", True), ("80", 48, "106", False), ("80", 49, "107", False), ("80", 168, "120", True),
        ("80", 168, "119", False), ("80", 169, "125", False), ("140", 40, "80", False),
    ],
)  # fmt: skip
async def test_a_creatinine_that_rises_fast_is_acute_kidney_injury_whatever_was_answered(
    earlier: str, hours: int, newest: str, injured: bool
) -> None:
    day, hour = divmod(169 - hours, 24)
    before = a_creatinine(earlier, id="o-before", effectiveDateTime=f"2026-02-{20 + day}T{hour:02}:00:00+08:00")
    now = a_creatinine(newest, effectiveDateTime="2026-02-27T01:00:00+08:00")
    told = await found(before, now, response=a_screening(metformin="Y"))
    assert (AKI in told, "consent.metformin" in told) == (injured, injured)
    assert AKI not in await found(before, now, response=a_screening(dialysis="Y"))


async def test_metformin_is_known_by_its_trade_name_and_a_tumour_by_the_words_beside_an_open_code() -> None:
    taken = a_medicine("MedicationStatement", "active", {"text": "格华止 0.5g 每日三次"})
    assert (await found(an_egfr(25), taken))["consent.metformin"] == "warn"
    adrenal = {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10", "code": "D35.0"}], "text": "肾上腺嗜铬细胞瘤"}
    told = await found(an_egfr(), a_condition(adrenal), response=a_screening(route="arterial-first-pass"))
    assert told["consent.phaeochromocytoma"] == "warn"
    adenoma = a_condition({**adrenal, "text": "肾上腺腺瘤"})
    assert "consent.phaeochromocytoma" not in await found(an_egfr(), adenoma)


async def test_a_woman_without_a_uterus_is_not_asked_about_pregnancy() -> None:
    answers = a_screening()
    silent = {**answers, "item": [item for item in answers["item"] if item["linkId"] != "pregnancy"]}
    woman: dict[str, Any] = {"gender": "female", "birthDate": "1990-05-06"}
    assert "consent.pregnancy-asked" in await found(an_egfr(), response=silent, **woman)
    removed = a_condition({"text": "全子宫切除术后"})
    assert "consent.pregnancy-asked" not in await found(an_egfr(), removed, response=silent, **woman)
