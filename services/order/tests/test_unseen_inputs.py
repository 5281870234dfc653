"""Requests as hospitals really write them: words instead of codes, other codes, other units; the rules see what is meant."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.findings import rule_of
from slipring.fhir.service import CANONICAL, Call, Resource
from slipring_order.handlers.justify import justified
from slipring_order.judging.contrast import contrast_condition

from tests.support.ordering import a_desk, a_patient, a_request, findings, received

LOINC, SNOMED, ICD10 = "http://loinc.org", "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10"
PELVIS: Resource = {"coding": [{"system": LOINC, "code": "24865-8"}]}
SOMEWHERE: Resource = {"coding": [{"system": LOINC, "code": "25045-6"}]}
HEAD: Resource = {"coding": [{"system": LOINC, "code": "30799-1"}]}
WOMAN = {"gender": "female", "birthDate": "1996-01-01"}
HERS = {"subject": {"reference": "Patient/o-pat"}, "status": "final"}


def observed(code: str, id: str = "o-x", on: str = "2026-03-01", **value: Any) -> Resource:
    return {
        "resourceType": "Observation", "id": id, **HERS, "code": {"coding": [{"system": LOINC, "code": code}]},
        "basedOn": [{"reference": "ServiceRequest/o-req"}], "effectiveDateTime": on, **value,
    }  # fmt: skip


def a_condition(code: str, system: str = SNOMED, **members: Any) -> Resource:
    coded = {"coding": [{"system": system, "code": code}]}
    return {
        "resourceType": "Condition", "id": "o-c", "subject": HERS["subject"], "code": coded,
        "clinicalStatus": {"coding": [{"code": "active"}]}, **members,
    }  # fmt: skip


def a_study(**members: Any) -> Resource:
    return {
        "resourceType": "ImagingStudy", "id": "o-s", "status": "available", "subject": HERS["subject"],
        "started": "2026-02-27T10:00:00+08:00", "modality": [{"code": "CT"}], **members,
    }  # fmt: skip


async def judged(*more: Resource, patient: Any = None, **members: Any) -> tuple[str, set[str]]:
    """The outcome of a dry run, and the rules that fired."""
    person = {name: value for name, value in a_patient(**(patient or {})).items() if value is not None}
    entries = [{"resource": one} for one in (person, a_request(**members), *more)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    call = Call({"resourceType": "Parameters", "parameter": [{"name": "data", "resource": bundle}]})
    answer = (await justified(call, a_desk())).answer
    assert answer
    outcome, *issues = answer["parameter"]
    return outcome["valueCode"], {rule_of(issue["resource"]).removeprefix("order.") for issue in issues}


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("code", "sites"),
    [
        ({"text": "盆腔CT平扫"}, []),
        (SOMEWHERE, [{"text": "下腹部"}]),
        (SOMEWHERE, [{"coding": [{"system": SNOMED, "code": "35039007", "display": "Uterus"}]}]),
        (SOMEWHERE, [{"coding": [{"code": "pelvis"}]}]),
        (HEAD, [{"text": "盆腔"}]),
    ],
)
async def test_a_woman_is_asked_about_pregnancy_whether_the_region_stands_in_codes_or_in_words(
    code: Any, sites: Any
) -> None:
    outcome, fired = await judged(patient=WOMAN, code=code, bodySite=sites)
    assert (outcome, "pregnancy-asked" in fired) == ("awaiting-information", True)


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("stated", "fires"),
    [
        (observed("82810-3", valueBoolean=True), {"pregnant"}),
        (observed("82810-3", valueBoolean=False), set()),
        (observed("82810-3", valueCodeableConcept={"text": "怀孕"}), {"pregnant"}),
        (observed("82810-3", valueCodeableConcept={"text": "未怀孕。"}), set()),
        (observed("82810-3", valueCodeableConcept={"text": "可能怀孕"}), {"pregnancy-unknown"}),
        (observed("82810-3", valueString="否"), set()),
        (observed("11449-6", valueCodeableConcept={"coding": [{"code": "LA33-6"}]}), {"pregnant"}),
        (a_condition("77386006"), {"pregnant"}),
        (a_condition("O26.8", ICD10), {"pregnant"}),
        (a_condition("77386006", clinicalStatus={"coding": [{"code": "resolved"}]}), {"pregnancy-asked"}),
        (a_condition("77386006", verificationStatus={"coding": [{"code": "refuted"}]}), {"pregnancy-asked"}),
        (a_condition("77386006", recordedDate="2024-01-01"), {"pregnancy-asked"}),
        (a_condition("O80", ICD10), {"pregnancy-asked"}),
        (a_condition("77386006", subject={"reference": "Patient/o-other"}), {"pregnancy-asked"}),
    ],
)
async def test_pregnancy_is_read_however_it_is_stated(stated: Resource, fires: set[str]) -> None:
    _, fired = await judged(stated, patient=WOMAN, code=PELVIS)
    assert fired - {"region-fits"} == fires


async def test_a_pregnancy_known_by_its_diagnosis_is_weighed_for_any_region() -> None:
    reason = {"reasonReference": [{"reference": "Condition/o-c"}]}
    assert "pregnant" in (await judged(a_condition("77386006"), patient=WOMAN, code=HEAD, **reason))[1]
    coded = [{"coding": [{"system": ICD10, "code": "O26.8"}]}]
    assert "pregnant" in (await judged(patient=WOMAN, code=HEAD, reasonCode=coded))[1]
    newer = observed("82810-3", valueBoolean=False, on="2026-03-02")
    older = a_condition("77386006", recordedDate="2026-01-10")
    assert "pregnant" not in (await judged(newer, older, patient=WOMAN, code=PELVIS))[1]


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("18185-9", {"valueQuantity": {"value": 12, "unit": "周"}}),
        ("18185-9", {"valueQuantity": {"value": 84, "unit": "days"}}),
        ("18185-9", {"valueQuantity": {"value": 12, "code": "wk"}}),
        ("11884-4", {"valueQuantity": {"value": 12, "unit": "weeks"}}),
        ("18185-9", {"valueString": "12+3"}),
        ("18185-9", {"valueString": "12周3天"}),
        ("11779-6", {"valueDateTime": "2026-09-12"}),
    ],
)
async def test_the_weeks_of_a_pregnancy_are_read_in_whatever_unit_they_are_written(code: str, value: Any) -> None:
    pregnant = observed("82810-3", valueBoolean=True)
    fired = (await judged(pregnant, observed(code, "o-weeks", **value), patient=WOMAN, code=PELVIS))[1]
    assert "pregnant-early" in fired


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    "reason",
    [
        {"coding": [{"system": ICD10, "code": "Z00.1"}]},
        {"coding": [{"system": ICD10, "code": "Z00.1", "display": "常规儿童健康检查"}], "text": "常规儿童健康检查"},
        {"text": "入园体检"},
        {"coding": [{"system": f"{CANONICAL}/CodeSystem/exam-purpose", "code": "health-check"}], "text": "体检"},
    ],
)
async def test_a_child_s_health_check_is_one_by_icd_10_and_in_words(reason: Any) -> None:
    outcome, fired = await judged(patient={"birthDate": "2018-05-01"}, reasonCode=[reason])
    assert (outcome, "child-health-check" in fired) == ("rejected", True)


async def test_a_complaint_beside_a_health_check_is_a_complaint() -> None:
    for reason in (
        {"coding": [{"system": ICD10, "code": "Z00.1"}], "text": "咳嗽发热3天"},
        {"text": "体检发现肺结节"},
    ):
        assert "child-health-check" not in (await judged(patient={"birthDate": "2018-05-01"}, reasonCode=[reason]))[1]


@pytest.mark.parametrize(
    "earlier",
    [
        a_study(description="胸部CT平扫"),
        a_study(series=[{"uid": "1.2", "modality": {"code": "CT"}, "description": "Chest 5.0 B31f"}]),
        a_study(subject={"identifier": {"system": "urn:hospital", "value": "A1"}}, description="CT chest"),
        {
            "resourceType": "DiagnosticReport", "id": "o-d", **HERS, "code": {"text": "胸部CT平扫"},
            "effectiveDateTime": "2026-02-27",
        },
    ],
)  # fmt: skip
async def test_an_earlier_exam_is_known_by_its_description_too(earlier: Resource) -> None:
    assert "repeat-exam" in (await judged(earlier))[1]


async def test_records_that_are_linked_in_what_was_sent_are_one_person_s_and_others_are_not() -> None:
    study = a_study(subject={"reference": "Patient/o-old"}, description="CT chest")
    old = a_patient(id="o-old")
    linked = {"link": [{"other": {"reference": "Patient/o-old"}, "type": "replaces"}]}
    assert "repeat-exam" in (await judged(study, old, patient=linked))[1]
    assert "repeat-exam" not in (await judged(study, old))[1]


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ({"text": "低剂量"}, "not-needed"),
        ({"text": "不用对比剂"}, "not-needed"),
        ({"text": "碘海醇 80 ml"}, "open"),
        ({"coding": [{"system": "http://www.whocc.no/atc", "code": "V08AB02"}]}, "open"),
    ],
)
async def test_a_detail_of_an_order_asks_for_contrast_only_where_it_says_so(detail: Any, shown: str) -> None:
    assert await contrast_condition(a_request(code=HEAD, orderDetail=[detail]), "justified", a_desk()) == shown


def told(text: str, kind: str = "Condition", **members: Any) -> Resource:
    status = {"status": "completed"} if kind == "Procedure" else {}
    return {
        "resourceType": kind, "id": "o-t", "subject": HERS["subject"], "code": {"text": text}, **status, **members,
    }  # fmt: skip


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("text", "fires"),
    [
        ("孕20周，头痛", "pregnant"), ("早孕", "pregnant"), ("不明原因头痛，孕30周", "pregnant"),
        ("pregnant 20 weeks, headache", "pregnant"), ("早孕？头痛", "pregnancy-unknown"), ("r/o pregnancy", "pregnancy-unknown"),
        ("头痛，孕3产2", ""), ("不孕症，头痛", ""), ("产后3天头痛", ""), ("孕激素升高，头痛", ""), ("头痛，妊娠试验阴性", ""),
        ("not pregnant, headache", ""),
    ],
)  # fmt: skip
async def test_a_pregnancy_in_the_words_of_a_reason_or_of_the_problem_list_is_weighed(text: str, fires: str) -> None:
    asked = {"pregnant", "pregnancy-unknown"}
    code = HEAD if fires != "pregnancy-unknown" else PELVIS
    by_reason = (await judged(patient=WOMAN, code=code, reasonCode=[{"text": text}]))[1]
    by_diagnosis = (await judged(told(text), patient=WOMAN, code=code))[1]
    assert (by_reason & asked, by_diagnosis & asked) == ({fires} - {""}, {fires} - {""})


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("stated", "asks"),
    [
        (told("全子宫切除术", "Procedure"), False), (told("经腹全子宫+双附件切除术后"), False),
        (told("total hysterectomy 2019"), False),
        (told("子宫全切术后", clinicalStatus={"coding": [{"code": "resolved"}]}), False),
        (told("x", code={"coding": [{"system": "http://hl7.org/fhir/sid/icd-9-cm", "code": "68.49"}]}), False),
        (told("全子宫切除术", "Procedure", status="preparation"), True), (told("拟行全子宫切除"), True),
        (told("子宫肌瘤切除术后"), True),
        (told("全子宫切除术后", verificationStatus={"coding": [{"code": "refuted"}]}), True),
        (told("全子宫切除术后", subject={"reference": "Patient/o-other"}), True),
    ],
)  # fmt: skip
async def test_whose_uterus_was_removed_is_not_asked_about_pregnancy(stated: Resource, asks: bool) -> None:
    assert ("pregnancy-asked" in (await judged(stated, patient=WOMAN, code=PELVIS))[1]) is asks


async def test_what_is_known_here_of_the_patient_counts_as_what_was_sent_does() -> None:
    for known, rule in ((told("孕20周"), "order.pregnant"), (told("全子宫切除术后"), "")):
        desk = a_desk(a_patient(**WOMAN), known)
        await received(desk, a_request(code=PELVIS))
        assert findings(desk) & {"order.pregnant", "order.pregnancy-asked"} == {rule} - {""}


@pytest.mark.parametrize(("text", "counts"), [("碘海醇", True), ("IV contrast dye", True), ("钆对比剂过敏", False)])
async def test_an_allergy_to_contrast_in_words_is_weighed_before_an_exam_with_contrast(text: str, counts: bool) -> None:
    allergy = {
        "resourceType": "AllergyIntolerance", "id": "o-al", "patient": HERS["subject"], "criticality": "high",
        "code": {"text": text},
    }  # fmt: skip
    enhanced = {"coding": [{"system": LOINC, "code": "24628-0"}]}
    assert ("contrast-reaction" in (await judged(allergy, code=enhanced))[1]) is counts
