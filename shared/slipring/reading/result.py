"""Whether the result of an examination is positive, as the author of the report says: a conclusion code that nothing suggests. Pure."""

from __future__ import annotations

from slipring.department.road import Tree
from slipring.fhir.outcome import unprocessable
from slipring.fhir.service import CANONICAL

RESULT = "result"  # the name of its field among those of the sections
RESULTS = ("positive", "negative")
_SYSTEM = f"{CANONICAL}/CodeSystem/examination-result"


def result_of(report: Tree) -> str:
    """`positive` or `negative`; empty where neither is stated, or both are.

    >>> result_of(with_result({}, "positive")), result_of(with_result(with_result({}, "positive"), ""))
    ('positive', '')
    """
    said = {str(one.get("code", "")) for one in _codings(report) if one.get("system") == _SYSTEM} & {*RESULTS}
    return said.pop() if len(said) == 1 else ""


def with_result(report: Tree, result: str) -> Tree:
    """The report that states this result, or none; what else it concludes stays. 422 for a word that is no result."""
    if result not in ("", *RESULTS):
        raise unprocessable(
            "The result is positive, negative or not stated.",
            "检查结果须为阳性、阴性或未注明。",
            at="DiagnosticReport.conclusionCode",
            code="code-invalid",
            detail="reading.unknown-result",
        )
    if result == result_of(report):
        return report
    others = [one for one in report.get("conclusionCode", []) if not _states(one)]
    stated = [{"coding": [{"system": _SYSTEM, "code": result}]}] if result else []
    kept = {name: value for name, value in report.items() if name != "conclusionCode"}
    return kept | ({"conclusionCode": [*others, *stated]} if others or stated else {})


def _codings(report: Tree) -> list[Tree]:
    return [one for concept in report.get("conclusionCode", []) for one in concept.get("coding", [])]


def _states(concept: Tree) -> bool:
    return any(one.get("system") == _SYSTEM for one in concept.get("coding", []))
