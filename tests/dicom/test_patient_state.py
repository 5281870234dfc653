"""What a console asks of the patient's state: it comes as somebody stated it, and nothing said stays empty."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dicom.modality import a_query, asked, associated, worklist
from tests.dicom.scheduled import Exam, Hospital, a_patient

pytestmark = pytest.mark.filterwarnings("ignore:A value of type 'str' cannot be assigned to a tag with VR US")
STATE = ("PregnancyStatus", "Allergies", "MedicalAlerts", "PatientWeight", "PatientSize")
Tree = dict[str, Any]


def a_value(exam: Exam, code: str, **value: Any) -> Tree:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/{exam.patient['id']}"},
        **value,
    }


def an_allergy(patient: Tree, text: str, **members: Any) -> Tree:
    active = {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical", "code": "active"}]
    }
    named = {"code": {"text": text}, "patient": {"reference": f"Patient/{patient['id']}"}}
    return {"resourceType": "AllergyIntolerance", "clinicalStatus": active, **named, **members}


def state_of(port: int, exam: Exam) -> Tree:
    [entry] = worklist(port, AccessionNumber=exam.number, **dict.fromkeys(STATE, ""))
    return {name: entry[name].value for name in STATE}


@pytest.fixture(scope="module")
def exam(hospital: Hospital) -> Exam:
    return hospital.exam(a_patient("STATE-1", {"family": "周", "given": ["状"]}), minutes=120 * 60)


def test_what_nobody_has_said_is_empty_and_no_unknown_key(port: int, exam: Exam) -> None:
    with associated(port) as scanner:
        [entry], statuses = asked(scanner, a_query(AccessionNumber=exam.number, **dict.fromkeys(STATE, "")))
    assert statuses == [0xFF00, 0x0000], "these keys are known"
    assert all(entry[name].is_empty for name in STATE)


@pytest.mark.clause("5.5.1.1")
def test_allergies_of_every_record_weight_and_pregnancy_reach_the_console(port: int, hospital: Hospital) -> None:
    """The newest weight counts, a refuted allergy does not, and that of a merged record does."""
    patient = a_patient("STATE-2", {"family": "吴", "given": ["态"]}, gender="female", birthDate="1991-05-02")
    exam = hospital.exam(patient, minutes=122 * 60)
    kg = {"unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}
    for day, weight in (("2026-03-01", 71.5), ("2025-03-01", 80)):
        value = {"valueQuantity": {"value": weight, **kg}, "effectiveDateTime": day}
        hospital.made(a_value(exam, "29463-7", **value))
    cm = {"value": 172, "unit": "cm", "system": "http://unitsofmeasure.org", "code": "cm"}
    hospital.made(a_value(exam, "8302-2", valueQuantity=cm, effectiveDateTime="2026-03-01"))
    hospital.made(an_allergy(exam.patient, "碘造影剂", criticality="high"))
    refuted = {
        "coding": [
            {"system": "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification", "code": "refuted"}
        ]
    }
    hospital.made(an_allergy(exam.patient, "花生", verificationStatus=refuted))
    other = hospital.made(
        a_patient("STATE-3")
        | {"link": [{"other": {"reference": f"Patient/{exam.patient['id']}"}, "type": "replaced-by"}]}
    )
    hospital.made(an_allergy(other, "青霉素"))
    unknown = {"coding": [{"system": "http://loinc.org", "code": "LA4489-6", "display": "Unknown"}]}
    based_on = [{"reference": f"ServiceRequest/{exam.request['id']}"}]
    hospital.made(
        a_value(exam, "82810-3", basedOn=based_on, valueCodeableConcept=unknown, effectiveDateTime="2026-03-01")
    )
    found = state_of(port, exam)
    assert sorted(found["Allergies"]) == sorted(["碘造影剂", "青霉素"])
    assert found["MedicalAlerts"] == "碘造影剂"
    assert (str(found["PatientWeight"]), str(found["PatientSize"])) == ("71.5", "1.72")
    assert found["PregnancyStatus"] == 4, "unknown is said as unknown, never as no"


def test_an_allergy_that_is_only_coded_and_a_weight_in_words_reach_the_console(port: int, hospital: Hospital) -> None:
    patient = a_patient("STATE-3", {"family": "郑", "given": ["码"]})
    exam = hospital.exam(patient, minutes=124 * 60)
    coded = {"code": {"coding": [{"system": "http://snomed.info/sct", "code": "293637006"}]}, "criticality": "high"}
    hospital.made(an_allergy(exam.patient, "", **coded))
    for value, unit in ((0, "kg"), (64, "公斤")):
        day = f"2026-0{3 if value else 4}-01"
        hospital.made(a_value(exam, "29463-7", valueQuantity={"value": value, "unit": unit}, effectiveDateTime=day))
    told = state_of(port, exam)
    assert told["Allergies"] == told["MedicalAlerts"] == "293637006"
    assert float(told["PatientWeight"]) == 64
