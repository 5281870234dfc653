"""Exams are drawn for grading by seed, blind, from scanner, part and technologist; their sheets are told together (5.6.2.3)."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Call, Changes, Resource, Write
from slipring_order import resources
from slipring_order.grading.graded import GRADING, questions
from slipring_order.handlers.image_draw import grading_told, images_drawn
from slipring_order.handlers.satisfaction import response_taken
from slipring_order.handlers.tasks import guarded

from tests.support.desk import ADesk
from tests.support.ordering import a_desk
from tests.support.staffing import a_member

pytestmark = pytest.mark.clause("5.6.2.3 images")
LEAD, MAKERS = "Practitioner/o-lead", ("Practitioner/o-t1", "Practitioner/o-t2")
GRADERS = ("Practitioner/o-t1", "Practitioner/o-g1", "Practitioner/o-g2")
DAYS = {"periodStart": ("Date", "2026-02-01"), "periodEnd": ("Date", "2026-02-28")}


def a_house(exams: int = 12) -> ADesk:
    held: list[Resource] = []
    for one in ("t1", "t2", "g1", "g2"):
        held += a_member(f"o-{one}", "supervising-technologist", roles=("technologist",))
    held += a_member("o-lead", "associate-chief-physician", roles=("quality-manager",))
    for number in range(exams):
        request = {"reference": f"ServiceRequest/o-r{number}"}
        code = "24627-2" if number % 3 else "24725-4"  # chest, head
        held += [
            {
                "resourceType": "ServiceRequest", "id": f"o-r{number}", "subject": {"reference": "Patient/o-pat"},
                "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            },
            {
                "resourceType": "Task", "id": f"o-e{number}", "status": "completed", "focus": request,
                "code": {"coding": [{"system": resources.TASK_CODE_SYSTEM, "code": "exam"}]},
                "businessStatus": resources.state_concept("acquired" if number else "cancelled"),
                "owner": {"reference": MAKERS[number % 2]},
                "executionPeriod": {"start": f"2026-02-{number + 2:02}T08:00:00Z"},
            },
            {
                "resourceType": "Task", "id": f"o-s{number}", "status": "completed", "focus": request,
                "code": {"coding": [{"system": resources.TASK_CODE_SYSTEM, "code": "scheduled-step"}]},
                "partOf": [{"reference": f"Task/o-e{number}"}], "owner": {"reference": f"Device/o-ct{number % 2}"},
            },
        ]  # fmt: skip
    return a_desk(*held)


def given(graders: tuple[str, ...] = GRADERS, **values: tuple[str, Any]) -> Call:
    parts = [{"name": name, f"value{kind}": value} for name, (kind, value) in (DAYS | values).items()]
    parts += [{"name": "grader", "valueReference": {"reference": one}} for one in graders]
    parts.append({"name": "performer", "valueReference": {"reference": LEAD}})
    return Call({"resourceType": "Parameters", "parameter": parts})


async def draw(desk: ADesk, seed: str = "7", size: int = 6, double: int = 50, **more: Any) -> list[Resource]:
    asked = {"seed": ("String", seed), "size": ("Integer", size), "double": ("Integer", double)}
    changes = await images_drawn(given(**asked, **more), desk)
    desk.carry_out(changes)
    return [one.resource for one in changes.save]


def drawn_in(cases: list[Resource]) -> list[str]:
    return [one["focus"]["reference"] for one in cases]


async def grade(desk: ADesk, case: Resource, *no: str) -> Changes:
    items = [{"linkId": code, "answer": [{"valueBoolean": code not in no}]} for code in questions()]
    sheet = {
        "resourceType": "QuestionnaireResponse", "id": f"o-of-{case['id']}", "questionnaire": GRADING, "status": "completed",
        "authored": "2026-03-02T17:00:00Z", "subject": case["focus"], "author": case["owner"], "item": items,
    }  # fmt: skip
    changes = await response_taken(Write("create", sheet), desk)
    desk.carry_out(changes, sheet)
    return changes


async def test_a_draw_is_the_same_again_and_no_case_names_a_maker_or_goes_to_one() -> None:
    desk = a_house()
    record, *cases = await draw(desk)
    assert len(cases) == 9 and len(set(drawn_in(cases))) == 6, "three of six are graded twice"
    told = {one["type"]["text"]: next(v for n, v in one.items() if n != "type") for one in record["input"]}
    assert (told["population"], told["strata"], told["seed"]) == (11, 4, "7"), "what was cancelled is not drawn from"
    makers = {f"ServiceRequest/o-r{number}": MAKERS[number % 2] for number in range(12)}
    for case in cases:
        assert case["owner"]["reference"] != makers[case["focus"]["reference"]]
        assert "Device/" not in str(case) and makers[case["focus"]["reference"]] not in str(case)
    _, *again = await draw(a_house())
    assert drawn_in(again) == drawn_in(cases)
    _, *other = await draw(a_house(), seed="8")
    assert drawn_in(other) != drawn_in(cases)


async def test_a_sheet_ends_its_case_and_the_sheets_are_told_with_how_well_graders_agree() -> None:
    desk = a_house()
    _, *cases = await draw(desk)
    twice = [one for one in set(drawn_in(cases)) if drawn_in(cases).count(one) == 2]
    for case in cases[:-1]:
        first = next(one for one in cases if one["focus"] == case["focus"])
        no = ("label-right",) if case["focus"]["reference"] == twice[0] and case is not first else ()
        [done] = [one.resource for one in (await grade(desk, case, *no)).save]
        assert (done["id"], done["status"]) == (case["id"], "completed")
    days = [{"name": "periodStart", "valueDate": "2026-03-01"}, {"name": "periodEnd", "valueDate": "2026-03-05"}]
    answer = (await grading_told(Call({"resourceType": "Parameters", "parameter": days}), desk)).answer or {}
    told = {one["name"]: one for one in answer["parameter"]}
    assert (told["cases"]["valueInteger"], told["open"]["valueInteger"]) == (9, 1)
    counted = {
        name: tuple(part["valueInteger"] for part in told[name]["part"][:2])
        for name in ("excellent", "identity", "partAndLabel", "agreement")
    }
    exams = told["exams"]["valueInteger"]
    graded_twice = len(twice) - (drawn_in(cases)[-1] in twice)
    assert counted["identity"] == (exams, exams) and counted["excellent"] == (exams, exams)
    assert counted["agreement"] == (graded_twice - (drawn_in(cases)[-1] != twice[0]), graded_twice)


@pytest.mark.parametrize(
    ("more", "graders", "detail"),
    [
        ({"size": ("Integer", 0)}, GRADERS, "number"),
        ({"seed": ("String", " ")}, GRADERS, "seed"),
        ({"double": ("Integer", 101)}, GRADERS, "number"),
        ({}, (), "grader"),
        ({}, (LEAD,), "grader"),
        ({}, ("Practitioner/o-none",), "grader"),
        ({}, MAKERS[:1], "no-grader"),
    ],
)
async def test_a_draw_that_cannot_be_made_is_refused(
    more: dict[str, Any], graders: tuple[str, ...], detail: str
) -> None:
    asked = {"seed": ("String", "7"), "size": ("Integer", 11)} | more
    with pytest.raises(FhirError) as refused:
        await images_drawn(given(graders, **asked), a_house())
    assert (refused.value.status, refused.value.issues[0].detail) == (422, f"order.draw-{detail}")


async def test_cases_are_made_by_the_draw_alone() -> None:
    desk = a_house()
    _, case, *_ = await draw(desk)
    held = await desk.read(f"Task/{case['id']}")
    for write in (Write("create", case), Write("update", case | {"status": "completed"}, held)):
        with pytest.raises(FhirError) as refused:
            await guarded(write, desk)
        assert refused.value.issues[0].detail == "order.grading-by-operation"
