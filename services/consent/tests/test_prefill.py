"""`Questionnaire/$populate`: what records say is filled in with its source; what they do not say is left to be asked."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.checks.shape import check
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Resource, Write
from slipring_consent.handlers.populate import populated
from slipring_consent.handlers.screening import screening_answered
from slipring_consent.screening.form import questionnaire_canonical
from slipring_consent.screening.prefill import PREFILLED_FROM

from tests.support.contrast import EXAM, IOHEXOL, PATIENT, a_department, a_request
from tests.support.desk import ADesk
from tests.support.screening import ATC, ICD10, LOINC, WOMAN, a_condition, a_medicine, an_allergy, coded


def a_call(**values: Any) -> Call:
    given = {"subject": PATIENT, "context": {"reference": EXAM}} | values
    kinds = {"subject": "valueReference", "context": "valueReference", "canonical": "valueCanonical"}
    parameters = [{"name": name, kinds[name]: value} for name, value in given.items() if value]
    return Call({"resourceType": "Parameters", "parameter": parameters})


async def filled_in(desk: ADesk, **values: Any) -> Resource:
    changes = await populated(a_call(**values), desk)
    assert not changes.save, "nothing is stored"
    assert changes.answer is not None
    response: Resource = changes.answer["parameter"][0]["resource"]
    return response


def answers(response: Resource) -> dict[str, tuple[str, list[str]]]:
    found = {}
    for item in response["item"]:
        for answer in item.get("answer", []):
            sources = [
                one["valueReference"]["reference"] for one in answer["extension"] if one["url"] == PREFILLED_FROM
            ]
            found[item["linkId"]] = (answer.get("valueDateTime") or answer["valueCoding"]["code"], sources)
    return found


@pytest.mark.clause("5.4.4.2")
async def test_what_records_say_is_filled_in_with_its_source() -> None:
    pregnant = {
        "resourceType": "Observation", "id": "o-p", "status": "final", "subject": PATIENT,
        "code": coded(LOINC, "82810-3"), "effectiveDateTime": "2026-03-01",
        "valueCodeableConcept": coded(LOINC, "LA26683-5"),
    }  # fmt: skip
    desk = a_department(
        WOMAN, pregnant, a_condition(coded(ICD10, "J45.9")),
        a_medicine("MedicationStatement", "active", coded(ATC, "A10BA02")),
        a_medicine("MedicationAdministration", "completed", IOHEXOL, id="c-given", effectiveDateTime="2026-02-27"),
        an_allergy(type="allergy", reaction=[{"severity": "moderate"}]),
    )  # fmt: skip
    response = await filled_in(desk)
    assert answers(response) == {
        "prior-reaction": ("moderate", ["AllergyIntolerance/o-a"]),
        "prior-reaction-kind": ("allergic-like", ["AllergyIntolerance/o-a"]),
        "prior-reaction-agent": ("V08AB02", ["AllergyIntolerance/o-a"]),
        "recent-contrast": ("Y", ["MedicationAdministration/c-given"]),
        "last-contrast": ("2026-02-27", ["MedicationAdministration/c-given"]),
        "asthma": ("Y", ["Condition/o-c"]),
        "metformin": ("Y", ["MedicationStatement/o-m"]),
        "pregnancy": ("N", ["Observation/o-p"]),
    }
    assert (response["status"], response["questionnaire"]) == ("in-progress", questionnaire_canonical())
    assert check(response) == []
    refused = (await screening_answered(Write("create", {**response, "id": "c-r"}), desk)).refuse
    assert refused is None, "it can be kept as it is and answered further"


@pytest.mark.clause("5.4.1")
async def test_absence_is_never_filled_in_as_no() -> None:
    response = await filled_in(a_department())
    assert answers(response) == {}
    assert all(item["text"] and item["_text"] for item in response["item"])


async def test_of_a_man_his_record_says_that_he_is_not_pregnant() -> None:
    response = await filled_in(a_department({**WOMAN, "gender": "male"}))
    assert answers(response) == {"pregnancy": ("N", ["Patient/o-pat"])}


async def test_version_1_is_filled_in_as_far_as_it_asks() -> None:
    desk = a_department(a_condition(coded(ICD10, "G70.0")), an_allergy(id="o-x", criticality="high"))
    response = await filled_in(desk, canonical=questionnaire_canonical().replace("|2", "|1"))
    assert answers(response) == {"prior-reaction": ("severe", ["AllergyIntolerance/o-x"])}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"subject": {"reference": "Patient/o-nobody"}}, "populate-subject"),
        ({"subject": {"reference": EXAM}}, "populate-subject"),
        ({"context": {"reference": "ServiceRequest/o-none"}}, "populate-context"),
        ({"context": {"reference": "ServiceRequest/o-others"}}, "populate-context"),
        ({"canonical": "https://example.org/Questionnaire/other"}, "populate-questionnaire"),
        ({"canonical": questionnaire_canonical().replace("|2", "|7")}, "populate-questionnaire"),
    ],
)
async def test_another_patient_exam_or_form_is_refused(values: dict[str, Any], code: str) -> None:
    desk = a_department(a_request(id="o-others", subject={"reference": "Patient/o-other"}))
    with pytest.raises(FhirError) as refused:
        await populated(a_call(**values), desk)
    assert [issue.detail for issue in refused.value.issues] == [f"consent.{code}"]
