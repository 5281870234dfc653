"""Whether the result of a report is positive: an abnormality that matters to what was asked, as its author says. Pure."""

from __future__ import annotations

from slipring.fhir.service import CANONICAL, Resource

from slipring_report.reading import code_of

EXAMINATION_RESULT = f"{CANONICAL}/CodeSystem/examination-result"
_RESULTS = ("positive", "negative")


def result_of(report: Resource) -> str:
    """`positive` or `negative` as one of the conclusion codes says; empty when none does, or both are said.

    >>> coding = {"system": EXAMINATION_RESULT, "code": "positive"}
    >>> result_of({"conclusionCode": [{"coding": [coding]}]}), result_of({})
    ('positive', '')
    """
    said = {code_of(concept, EXAMINATION_RESULT) for concept in report.get("conclusionCode", [])} & {*_RESULTS}
    return said.pop() if len(said) == 1 else ""
