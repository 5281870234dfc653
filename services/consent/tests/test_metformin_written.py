"""Metformin as wards, pharmacies and other houses write it: given, taken or ordered, by any code, word, mixture or reference."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.service import Resource

from tests.support.contrast import a_screening
from tests.support.screening import ATC, SNOMED, a_medicine, coded, known

GIVEN, TAKEN = "MedicationAdministration", "MedicationStatement"
YESTERDAY = {"effectiveDateTime": "2026-03-01T08:00:00+08:00"}
CONCEPTS: list[Resource] = [
    coded(ATC, "A10BA02"), coded(ATC, "a10ba02"), coded(ATC, "A10 BA 02"), coded("", "A10BA02"),
    coded("http://fhir.de/CodeSystem/bfarm/atc", "A10BA02"), coded("urn:oid:2.16.840.1.113883.6.73", "A10BA02"),
    coded(ATC, "A10BA", "双胍类"), coded(ATC, "A10B", "盐酸二甲双胍缓释片"), {"text": "二甲双胍"},
    {"text": "盐酸二甲双胍片（格华止）0.5g bid"}, {"text": "Metformin HCl 500 mg"},
    coded("https://his.example/drugs", "X123", "西格列汀二甲双胍片"), coded(SNOMED, "999999", "metformin"),
    coded(ATC, "A10BD02"), coded(ATC, "A10BD07"), coded(ATC, "A10BD15"), coded(ATC, "A10BD20"),
]  # fmt: skip
NONE: list[Resource] = [
    coded(ATC, "A10BD09"), coded(ATC, "A10BD19"), coded(ATC, "A10BB12", "格列美脲"), coded(ATC, "A10B"),
    {"text": "未服二甲双胍"}, coded("https://his.example/batch", "A10BA02"),
]  # fmt: skip
MIXTURE = {
    "resourceType": "Medication", "id": "mix", "code": {"text": "复方降糖片"},
    "ingredient": [{"itemCodeableConcept": coded(ATC, "A10BB01")}, {"itemCodeableConcept": coded(ATC, "A10BA02")}],
}  # fmt: skip


def by_reference(kind: str, status: str, reference: Resource, **members: Any) -> Resource:
    record = a_medicine(kind, status, {}, medicationReference=reference, **members)
    return {name: value for name, value in record.items() if name != "medicationCodeableConcept"}


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize("concept", CONCEPTS, ids=str)
@pytest.mark.parametrize(("kind", "status"), [(GIVEN, "completed"), (GIVEN, "in-progress"), (TAKEN, "active")])
def test_metformin_is_seen_however_it_is_written(kind: str, status: str, concept: Resource) -> None:
    assert known(a_medicine(kind, status, concept, **YESTERDAY)).metformin == "yes"


@pytest.mark.parametrize("concept", NONE, ids=str)
def test_what_holds_no_metformin_is_none(concept: Resource) -> None:
    told = known(a_medicine(GIVEN, "completed", concept, **YESTERDAY), response=a_screening(metformin="N"))
    assert told.metformin == "no"


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize("kind", [GIVEN, TAKEN, "MedicationRequest"])
@pytest.mark.parametrize(
    ("reference", "beside"),
    [
        ({"reference": "Medication/mix"}, [MIXTURE]),
        ({"reference": "#mix"}, []),
        ({"display": "盐酸二甲双胍片"}, []),
        ({"reference": "Medication/unknown", "display": "Metformin 850 mg"}, []),
    ],
    ids=["a mixture", "a mixture inside", "words alone", "words beside what is not known"],
)
def test_metformin_is_seen_in_a_mixture_and_in_the_words_beside_a_reference(
    kind: str, reference: Resource, beside: list[Resource]
) -> None:
    status = "completed" if kind == GIVEN else "active"
    record = by_reference(kind, status, reference, contained=[MIXTURE], **YESTERDAY)
    assert known(record, *beside).metformin == "yes"


@pytest.mark.parametrize(
    ("members", "told"),
    [
        ({"effectiveDateTime": "2026-02-24"}, "yes"),
        ({"effectivePeriod": {"start": "2026-01-01"}}, "yes"),
        ({"effectiveDateTime": "2026-02-01"}, "no"),
        ({}, "unknown"),
        ({"status": "not-done", **YESTERDAY}, "no"),
        ({"status": "entered-in-error", **YESTERDAY}, "no"),
    ],
)
def test_what_was_given_counts_for_some_days_and_without_a_time_is_a_doubt(members: Resource, told: str) -> None:
    record = a_medicine(GIVEN, "completed", coded(ATC, "A10BA02")) | members
    assert known(record, response=a_screening(metformin="N")).metformin == told
