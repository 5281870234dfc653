"""Images are graded whole, by another than their maker, and each sheet counts as its grade says (5.6.2.3)."""

from __future__ import annotations

from datetime import UTC

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource, Write
from slipring_order.grading.graded import GRADING, Graded, questionnaire, questions
from slipring_order.handlers.satisfaction import response_taken
from slipring_order.indicators import counts

from tests.support.desk import ADesk
from tests.support.ordering import a_request, moved, received, the_exam
from tests.support.rooms import a_booking_desk, schedule

GRADER = "Practitioner/o-grader"


def sheet(request: str, *no: str, **members: object) -> Resource:
    items = [{"linkId": code, "answer": [{"valueBoolean": code not in no}]} for code in questions()]
    return {
        "resourceType": "QuestionnaireResponse",
        "id": "o-sheet",
        "questionnaire": GRADING,
        "status": "completed",
        "authored": "2026-03-02T03:00:00Z",
        "subject": {"reference": request},
        "author": {"reference": GRADER},
        "item": items,
        **members,
    }


async def scanned() -> tuple[ADesk, str]:
    desk = a_booking_desk()
    await received(desk, a_request())
    await schedule(desk)
    await moved(desk, "arrived", "ready", "in-progress", "acquired")
    return desk, (await the_exam(desk))["focus"]["reference"]


@pytest.mark.clause("5.6.2.3 images")
@pytest.mark.parametrize(
    ("no", "grade"),
    [
        ((), "grade-a"),
        (("label-right",), "grade-b"),
        (("no-artefact",), "grade-c"),
        (("label-right", "dose-right"), "grade-c"),
        (("diagnostic",), "reject"),
        (("part-right",), "reject"),
    ],
)
def test_a_sheet_comes_to_its_grade_and_is_counted(no: tuple[str, ...], grade: str) -> None:
    assert Graded("ServiceRequest/o-1", {code: code not in no for code in questions()}).grade == grade
    [row] = counts(sheet("ServiceRequest/o-1", *no), UTC)
    assert (row.population, row.member) == ("image-sheet", "ServiceRequest/o-1")
    assert grade in row.marks.split() and ("artefact" in row.marks.split()) == ("no-artefact" in no)
    assert ("part-right" in row.marks.split()) == ("part-right" not in no)
    assert not counts(sheet("ServiceRequest/o-1", status="in-progress"), UTC)


@pytest.mark.clause("5.6.2.3 images")
async def test_a_sheet_is_whole_of_a_scanned_exam_and_by_another() -> None:
    desk, request = await scanned()
    assert (await response_taken(Write("create", sheet(request)), desk)).nothing
    whole = sheet(request)
    wrong = {
        "order.grading-unanswered": whole | {"item": whole["item"][1:]},
        "order.grading-no-exam": sheet("ServiceRequest/o-none"),
        "order.grading-own": whole | {"author": None},
        "order.form-authored": {name: value for name, value in whole.items() if name != "authored"},
    }
    for code, response in wrong.items():
        with pytest.raises(FhirError) as refused:
            await response_taken(Write("create", response), desk)
        assert refused.value.status == 422 and code in {issue.detail for issue in refused.value.issues}
    assert [item["linkId"] for item in questionnaire()["item"]] == list(questions())


@pytest.mark.parametrize("form", ["https://slipring.example/fhir/Questionnaire/satisfaction-patient", GRADING])
async def test_what_was_filled_in_is_not_turned_into_something_else(form: str) -> None:
    desk, request = await scanned()
    held = desk.hold(sheet(request, questionnaire=form))
    for other in ({"questionnaire": "https://elsewhere.example/Questionnaire/x"}, {"questionnaire": None}):
        with pytest.raises(FhirError) as refused:
            await response_taken(Write("update", held.resource | other, held), desk)
        assert refused.value.status == 409
