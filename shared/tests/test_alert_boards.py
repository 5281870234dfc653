"""What a board makes of many cases: those of one exam are one card on a wall, and a full wall makes room."""

from __future__ import annotations

import pytest
from slipring.alerts.boards import _crowd
from slipring.alerts.open_cases import Case, by_exam
from slipring.department.exams import Exam
from slipring.fhir.service import CANONICAL


def a_case(number: int, patient: str, exam: Exam | None = None, *, drill: bool = False) -> Case:
    tag = {"tag": [{"system": f"{CANONICAL}/CodeSystem/case-kind", "code": "drill"}]} if drill else {}
    task = {"id": f"k-{number}", "for": {"reference": f"Patient/{patient}"}, "meta": tag}
    return Case(task, None, exam, {})


def test_cases_of_one_exam_stand_on_one_card_under_the_most_urgent_and_no_others_do() -> None:
    an_exam = Exam({}, {"resourceType": "ServiceRequest", "id": "o-ct"})
    cases = [
        a_case(1, "a", an_exam),
        a_case(2, "b"),
        a_case(3, "a", an_exam),
        a_case(4, "b"),  # no exam: nothing says that they belong together
        a_case(5, "other", an_exam),  # never merged across patients
        a_case(6, "a", an_exam, drill=True),
    ]
    rows = by_exam(cases)
    assert [(row.case.id, row.count) for row in rows] == [("k-1", 2), ("k-2", 1), ("k-4", 1), ("k-5", 1), ("k-6", 1)]
    assert sum(row.count for row in rows) == len(cases), "none is left out"


@pytest.mark.parametrize(
    ("cards", "crowd"), [(0, ""), (6, ""), (7, "dense"), (42, "dense"), (43, "crowded"), (999, "crowded")]
)
def test_a_wall_makes_room_for_what_is_on_it(cards: int, crowd: str) -> None:
    assert _crowd(cards) == crowd
