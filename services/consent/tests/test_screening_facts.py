"""What is known before contrast: from answers and records, wherever they lie; unknown is never no."""

from __future__ import annotations

import pytest
from slipring.fhir.service import CANONICAL, Resource
from slipring_consent.reactions.allergy import FROM_REACTION
from slipring_consent.reactions.said import PHASE
from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.known import screening_known

from tests.support.contrast import IOHEXOL, PATIENT, a_department, a_screening
from tests.support.screening import (
    ATC,
    BEFORE,
    ICD10,
    SNOMED,
    WOMAN,
    a_condition,
    a_creatinine,
    a_medicine,
    an_allergy,
    an_encounter,
    coded,
    known,
)

STATUS = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


@pytest.mark.clause("5.4.4.2")
@pytest.mark.parametrize(
    ("code", "fact"),
    [
        (coded(ICD10, "J45.9"), "asthma"),
        (coded(ICD10, "J45.900x003", "支气管哮喘"), "asthma"),
        (coded(f"{ICD10}-cm", "E0590"), "hyperthyroidism"),
        (coded(ICD10, "E05.900x001"), "hyperthyroidism"),
        (coded(ICD10, "E11.9"), "diabetes"),
        (coded(ICD10, "E11.2"), "kidney_disease"),
        (coded(ICD10, "N17.9"), "acute_kidney_injury"),
        (coded(ICD10, "Z90.5"), "kidney_surgery"),
        (coded(ICD10, "Z99.2"), "dialysis"),
        (coded(ICD10, "I10.x00"), "hypertension"),
        (coded(ICD10, "M10.9"), "gout"),
        (coded(ICD10, "I50.9"), "heart_disease"),
        (coded(SNOMED, "195111005"), "heart_failure"),
        (coded(ICD10, "K74.6"), "liver_disease"),
        (coded(ICD10, "I27.0"), "pulmonary_hypertension"),
        (coded(SNOMED, "302835009"), "phaeochromocytoma"),
        (coded(ICD10, "G70.0"), "myasthenia"),
        (coded(ICD10, "E72.1"), "homocystinuria"),
        (coded(ICD10, "C90.0"), "myeloma"),
        (coded(ICD10, "Z33"), "pregnancy"),
        ({"text": "重症肌无力"}, "myasthenia"),
        ({"text": "慢性肾功能不全（3期）"}, "kidney_disease"),
        ({"text": "甲亢，未控制"}, "hyperthyroidism"),
        ({"text": "Type 2 diabetes mellitus"}, "diabetes"),
    ],
)
def test_a_condition_is_known_by_its_code_or_by_words_that_are_clear(code: Resource, fact: str) -> None:
    assert getattr(known(a_condition(code)), fact) == "yes"
    answered_no = known(a_condition(code), response=a_screening(heart_failure="N"))
    assert getattr(answered_no, fact) == "yes", "a known fact outweighs an answered no"


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    "condition",
    [
        a_condition({"text": "否认哮喘"}), a_condition({"text": "无哮喘史"}), a_condition({"text": "疑似哮喘"}),
        a_condition({"text": "父亲有哮喘"}), a_condition({"text": "心源性哮喘"}), a_condition({"text": "no asthma"}),
        a_condition({"text": "family history of asthma"}), a_condition(coded(ICD10, "J44.9", "哮喘待排")),
        a_condition(coded(ICD10, "J45.9"), clinicalStatus=coded(STATUS, "resolved")),
        a_condition(coded(ICD10, "J45.9"), clinicalStatus=coded(STATUS, "inactive")),
        a_condition(coded(ICD10, "J45.9"), verificationStatus=coded(VERIFIED, "refuted")),
        a_condition(coded(ICD10, "J45.9"), verificationStatus=coded(VERIFIED, "entered-in-error")),
        a_condition(coded(ICD10, "J45.9"), abatementDateTime="2020"),
        a_condition(coded("http://example.org/local", "J45.9")),
        a_condition(coded(ICD10, "J45.9"), subject={"reference": "Patient/o-other"}),
        a_condition(coded(ICD10, "J45.9"), subject={"reference": "https://elsewhere.example/fhir/Patient/o-pat"}),
    ],
)  # fmt: skip
def test_what_is_denied_doubted_over_or_anothers_says_nothing(condition: Resource) -> None:
    assert known(condition).asthma == "unknown"
    assert known(condition, response=a_screening()).asthma == "no"


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("condition", "state"),
    [
        (a_condition(coded(ICD10, "E05.9"), verificationStatus=coded(VERIFIED, "confirmed")), "yes"),
        (a_condition(coded(ICD10, "E05.9"), verificationStatus=coded(VERIFIED, "provisional")), "unknown"),
        (a_condition(coded(ICD10, "E05.9"), verificationStatus=coded(VERIFIED, "differential")), "unknown"),
        (a_condition(coded(ICD10, "E05.9"), verificationStatus=coded(VERIFIED, "unconfirmed")), "unknown"),
        (a_condition(coded(ICD10, "E05.9", "甲亢？")), "unknown"),
        (a_condition(coded(ICD10, "E05.9", "甲亢不能排除")), "unknown"),
        (a_condition({"text": "疑似甲亢"}), "unknown"),
        (a_condition({"text": "suspected hyperthyroidism"}), "unknown"),
        (a_condition({"text": "亚临床甲亢？"}), "no"),
        (a_condition({"text": "无甲亢"}), "no"),
        (a_condition({"text": "母亲疑似甲亢"}), "no"),
    ],
)
def test_a_suspected_overactive_thyroid_is_asked_about_and_is_neither_manifest_nor_none(
    condition: Resource, state: str
) -> None:
    assert known(condition, response=a_screening()).hyperthyroidism == state


def test_absence_is_unknown_and_only_an_answer_is_a_no() -> None:
    nothing = known()
    words = {name: getattr(nothing, name) for name in ScreeningFacts.__dataclass_fields__}
    assert "no" not in words.values() and nothing.prior_reaction == "unknown"
    assert known(response=a_screening()).asthma == "no"


@pytest.mark.parametrize(
    ("medicine", "expected"),
    [
        (a_medicine("MedicationStatement", "active", coded(ATC, "A10BA02")), "yes"),
        (a_medicine("MedicationStatement", "active", coded(ATC, "A10BD07")), "yes"),
        (a_medicine("MedicationStatement", "active", {"text": "二甲双胍缓释片 0.5g"}), "yes"),
        (a_medicine("MedicationStatement", "active", {"text": "已停用二甲双胍"}), "no"),
        (a_medicine("MedicationStatement", "stopped", coded(ATC, "A10BA02")), "no"),
        (a_medicine("MedicationStatement", "unknown", coded(ATC, "A10BA02")), "unknown"),
        (a_medicine("MedicationStatement", "active", coded(ATC, "A10BA02"), effectivePeriod={"end": "2025-12"}), "no"),
        (a_medicine("MedicationRequest", "active", coded(ATC, "A10BA02")), "yes"),
        (a_medicine("MedicationRequest", "active", coded(ATC, "A10BA02"), doNotPerform=True), "no"),
        (a_medicine("MedicationRequest", "completed", coded(ATC, "A10BA02")), "no"),
    ],
)
def test_metformin_counts_while_it_is_taken_or_prescribed(medicine: Resource, expected: str) -> None:
    assert known(medicine, response=a_screening()).metformin == expected


def a_session(number: int, day: str) -> Resource:
    return {
        "resourceType": "Procedure", "id": f"o-d{number}", "status": "completed", "subject": PATIENT,
        "code": coded(SNOMED, "302497006"), "performedDateTime": day,
    }  # fmt: skip


def test_one_dialysis_is_a_doubt_and_two_close_together_go_on() -> None:
    assert known(a_session(1, "2026-02-27")).dialysis == "unknown"
    assert known(a_session(1, "2026-02-27"), response=a_screening()).dialysis == "unknown"
    assert known(a_session(1, "2026-02-25"), a_session(2, "2026-02-27")).dialysis == "yes"
    assert known(a_session(1, "2025-02-25"), a_session(2, "2025-02-27"), response=a_screening()).dialysis == "no"


@pytest.mark.parametrize(("status", "expected"), [("active", "yes"), ("completed", "unknown"), ("revoked", "unknown")])
def test_a_thyroid_scintigraphy_counts_while_it_is_ahead(status: str, expected: str) -> None:
    ahead = {"resourceType": "ServiceRequest", "id": "o-nm", "status": status, "intent": "order", "subject": PATIENT}
    assert (
        known({**ahead, "code": {"text": "甲状腺核素显像"}}, response=a_response_of()).radioiodine_planned == expected
    )


def a_response_of(*items: Resource) -> Resource:
    return {**a_screening(), "status": "in-progress", "item": list(items)}


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("told", "grade", "kind", "agents"),
    [
        (an_allergy(reaction=[{"severity": "severe"}], type="allergy"), "severe", "allergic-like", ("V08AB02",)),
        (an_allergy(reaction=[{"severity": "mild"}], type="intolerance"), "mild", "physiologic", ("V08AB02",)),
        (an_allergy(), "unknown", "unknown", ("V08AB02",)),
        (an_allergy(code=coded(SNOMED, "293638001"), criticality="high"), "severe", "unknown", ()),
        (an_allergy(code={"text": "造影剂过敏"}), "unknown", "unknown", ()),
        (a_condition(coded(SNOMED, "293637006")), "unknown", "unknown", ()),
    ],
)
def test_an_earlier_reaction_is_known_with_grade_kind_and_agent(
    told: Resource, grade: str, kind: str, agents: tuple[str, ...]
) -> None:
    facts = known(told, response=a_screening())
    assert (facts.prior_reaction, facts.prior_reaction_kind, facts.reaction_agents) == (grade, kind, agents)


def test_a_reaction_kept_here_names_the_agent_that_was_given() -> None:
    given = a_medicine("MedicationAdministration", "completed", IOHEXOL, effectiveDateTime=BEFORE)
    event = {
        "resourceType": "AdverseEvent", "id": "c-e", "actuality": "actual", "subject": PATIENT,
        "event": coded(f"{CANONICAL}/CodeSystem/reaction-type", "allergic-like"),
        "severity": coded("http://terminology.hl7.org/CodeSystem/adverse-event-severity", "moderate"),
        "suspectEntity": [{"instance": {"reference": "MedicationAdministration/o-m"}}],
    }  # fmt: skip
    facts = known(given, event)
    assert (facts.prior_reaction, facts.prior_reaction_kind, facts.reaction_agents) == (
        "moderate", "allergic-like", ("V08AB02",),
    )  # fmt: skip
    assert facts.last_contrast_at is not None and facts.last_contrast_at.hour == 0
    extravasation = {**event, "event": coded(f"{CANONICAL}/CodeSystem/reaction-type", "extravasation")}
    assert known(given, extravasation).prior_reaction == "unknown"


@pytest.mark.parametrize("verified", ["refuted", "entered-in-error"])
def test_a_reaction_whose_allergy_was_taken_back_counts_no_more_and_one_told_as_another_kind_does(
    verified: str,
) -> None:
    event = {
        "resourceType": "AdverseEvent", "id": "c-e", "actuality": "actual", "subject": PATIENT,
        "event": coded(f"{CANONICAL}/CodeSystem/reaction-type", "allergic-like"),
        "severity": coded("http://terminology.hl7.org/CodeSystem/adverse-event-severity", "severe"),
    }  # fmt: skip
    made = {"url": FROM_REACTION, "valueReference": {"reference": "AdverseEvent/c-e"}}
    taken_back = an_allergy(verificationStatus=coded(VERIFIED, verified), extension=[made])
    assert known(event, an_allergy(extension=[made])).prior_reaction == "severe"
    assert known(event, taken_back).prior_reaction == "unknown", "nobody was asked yet"
    assert known(event | {"id": "c-other"}, taken_back).prior_reaction == "severe", "it was made from another reaction"
    physiologic = event | {"event": coded(f"{CANONICAL}/CodeSystem/reaction-type", "physiologic")}
    assert known(physiologic, taken_back).prior_reaction == "severe", "it happened"


def test_a_reaction_that_was_marked_as_wrong_counts_no_more() -> None:
    event = {
        "resourceType": "AdverseEvent", "id": "c-e", "actuality": "actual", "subject": PATIENT,
        "event": coded(f"{CANONICAL}/CodeSystem/reaction-type", "physiologic"),
        "severity": coded("http://terminology.hl7.org/CodeSystem/adverse-event-severity", "severe"),
    }  # fmt: skip
    assert known(event).prior_reaction == "severe"
    assert known(event | {"extension": [{"url": PHASE, "valueCode": "entered-in-error"}]}).prior_reaction == "unknown"


def test_two_severe_allergies_are_multiple_and_one_twice_is_not() -> None:
    one = an_allergy(code=coded(SNOMED, "91936005"), criticality="high")
    two = {**one, "id": "o-b", "code": coded(SNOMED, "91935009")}
    assert known(one, two).multiple_allergies == "yes"
    assert known(one, {**one, "id": "o-b"}).multiple_allergies == "unknown"


async def test_a_desk_and_a_bundle_say_the_same_of_one_patient() -> None:
    held = [
        WOMAN, a_creatinine("150"), a_condition(coded(ICD10, "E11.9")),
        a_medicine("MedicationStatement", "active", coded(ATC, "C07AB02")),
        an_allergy(reaction=[{"severity": "moderate"}]), an_encounter("AMB"),
        a_medicine("MedicationAdministration", "completed", IOHEXOL, effectiveDateTime=BEFORE),
    ]  # fmt: skip
    desk = a_department(*held)
    assert await screening_known(desk, a_screening()) == known(*held, response=a_screening())


async def test_what_any_record_of_a_merged_patient_says_counts() -> None:
    desk = a_department({"resourceType": "Patient", "id": "o-old", "link": [{"type": "replaced-by", "other": PATIENT}]})
    desk.hold(a_condition(coded(ICD10, "G70.0"), subject={"reference": "Patient/o-old"}))
    assert (await screening_known(desk, a_screening())).myasthenia == "yes"
