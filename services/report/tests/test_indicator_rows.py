"""What report's records say of its indicators: readings by when they were due, scores, concordance (4.14.7, 5.6.2.3)."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from slipring.fhir.service import Resource
from slipring_report.indicators import counts
from slipring_report.learning import answers
from slipring_report.vocabulary import TASK_CODE
from slipring_report.worklist.life import in_state


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


@pytest.mark.parametrize(
    ("period", "moments"),
    [
        ({"start": "2026-03-04T08:00:00Z", "end": "2026-03-04T09:00:00Z"}, 1),
        ({"end": "2026-03-04"}, 1),
        ({"end": "2026-03"}, 0),
        ({"start": "2026-03-04T08:00:00Z"}, 0),
        ({}, 0),
    ],
)
def test_an_imported_reading_counts_where_it_says_when_it_was_due(period: Resource, moments: int) -> None:
    """History is stored as it came: whatever it leaves out keeps nothing from being stored, and no service from starting."""
    code = {"coding": [{"system": TASK_CODE, "code": "reading"}]}
    task = {"resourceType": "Task", "id": "r-1", "code": code, **in_state("unread", "running")}
    assert len(counts(task | {"restriction": {"period": period}}, UTC)) == moments
    assert not counts(task, UTC)
