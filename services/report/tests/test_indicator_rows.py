"""What report's records say of its indicators: readings by when they were due, scores, concordance (4.14.7, 5.6.2.3)."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from slipring.fhir.service import Resource
from slipring_report.indicators import counts
from slipring_report.learning import answers


def response(form: str, *items: tuple[str, str, Any]) -> Resource:
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "r-1",
        "questionnaire": f"{form}|1",
        "status": "completed",
        "authored": "2026-03-04T09:00:00Z",
        "subject": {"reference": "DiagnosticReport/r-9/_history/3"},
        "item": [{"linkId": link, "answer": [{f"value{kind}": value}]} for link, kind, value in items],
    }


@pytest.mark.clause("5.6.2.3 reports")
def test_a_score_and_a_concordance_count_for_their_report() -> None:
    points = [("passed", "String", "no"), ("grade", "String", "c"), ("wrong-side", "Boolean", True)]
    [scored] = counts(response(answers.SCORING, *points), UTC)
    assert (scored.population, scored.member, scored.marks) == (
        "report-score",
        "DiagnosticReport/r-9",
        "grade-c vetoed",
    )
    said = [
        ("against", "Code", "clinical"),
        ("grade", "Coding", {"code": "concordant"}),
        ("system", "Coding", {"code": "B3"}),
    ]
    [held] = counts(response(answers.CONCORDANCE, *said), UTC)
    assert (held.population, held.marks, held.system) == ("against-clinic", "concordant", "B3")
    assert not counts(response(answers.SCORING, ("passed", "String", "yes")) | {"status": "entered-in-error"}, UTC)
