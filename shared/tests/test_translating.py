"""What a ConceptMap says about codes that it lists and codes that it does not."""

from typing import Any

from slipring.fhir.interactions.translating import translations

EXAMS = "https://slipring.example/fhir/CodeSystem/exam"
LOCAL = "urn:his:exam"


def a_map() -> dict[str, Any]:
    target = {"code": "ct-chest", "equivalence": "equivalent"}
    group = {"source": LOCAL, "target": EXAMS, "element": [{"code": "CT01", "target": [target]}]}
    return {"resourceType": "ConceptMap", "url": "urn:his:map", "status": "active", "group": [group]}


def test_a_listed_code_is_answered_with_its_target() -> None:
    coding = {"system": EXAMS, "code": "ct-chest"}
    assert list(translations(a_map(), LOCAL, "CT01")) == [("equivalent", coding, "urn:his:map")]


def test_a_map_answers_for_codes_it_does_not_list_by_its_unmapped_rule() -> None:
    fixed = a_map()
    fixed["group"][0]["unmapped"] = {"mode": "fixed", "code": "other"}
    assert list(translations(fixed, LOCAL, "CT99")) == [("inexact", {"system": EXAMS, "code": "other"}, "urn:his:map")]
    provided = a_map()
    provided["group"][0]["unmapped"] = {"mode": "provided"}
    assert list(translations(provided, LOCAL, "CT99")) == [("equal", {"system": EXAMS, "code": "CT99"}, "urn:his:map")]
    assert list(translations(a_map(), "urn:other", "CT01")) == []
    assert list(translations(a_map(), LOCAL, "CT01", "urn:other")) == []
