"""Answers are held against the form they name: every fault is an issue that points at its element."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.checks.shape import check
from slipring.fhir.service import CANONICAL, Changes, Resource, Write
from slipring_consent.handlers.screening import screening_answered
from slipring_consent.screening.conformance import faults_of
from slipring_consent.screening.form import questionnaire

from tests.support.contrast import YES_NO, a_department, a_screening, an_egfr

GENDER = "http://hl7.org/fhir/administrative-gender"
GRADE, ITEM = f"{CANONICAL}/CodeSystem/prior-reaction", "QuestionnaireResponse.item"


def answered(link: str, **value: Any) -> Resource:
    return {"linkId": link, "answer": [value]}


def coding(code: str, system: str = YES_NO) -> Resource:
    return {"valueCoding": {"system": system, "code": code}}


async def written(response: Resource) -> Changes:
    return await screening_answered(Write("create", response), a_department(an_egfr()))


async def issues(response: Resource) -> set[tuple[str, str]]:
    refused = (await written(response)).refuse
    assert refused is None or refused.status == 422
    return {(issue.detail, issue.at) for issue in refused.issues} if refused else set()


def with_item(position: int, item: Resource, status: str = "completed") -> Resource:
    items = list(a_screening()["item"])
    items[position] = item
    return {**a_screening(), "status": status, "item": items}


@pytest.mark.clause("5.4.1")
@pytest.mark.parametrize(
    ("item", "what", "at"),
    [
        (answered("asthma", valueBoolean=True), "answer-type", f"{ITEM}[3].answer[0].value"),
        (answered("asthma", **coding("maybe")), "answer-option", f"{ITEM}[3].answer[0].value"),
        (answered("asthma", **coding("N", "urn:other")), "answer-option", f"{ITEM}[3].answer[0].value"),
        ({"linkId": "asthma", "answer": [coding("N"), coding("Y")]}, "answer-many", f"{ITEM}[3].answer"),
        ({"linkId": "asthma"}, "answer-missing", f"{ITEM}[3].answer"),
        (answered("last-contrast", valueDateTime="2026-02"), "answer-not-asked", f"{ITEM}[3]"),
        (answered("shoe-size", valueInteger=44), "question-unknown", f"{ITEM}[3].linkId"),
        (answered("recent-contrast", **coding("N")), "question-twice", f"{ITEM}[3].linkId"),
    ],
)
async def test_each_fault_of_a_completed_screening_is_one_issue_at_its_element(
    item: Resource, what: str, at: str
) -> None:
    assert [one["linkId"] for one in a_screening()["item"]].index("asthma") == 3
    assert (f"consent.{what}", at) in await issues(with_item(3, item))


async def test_all_faults_are_told_at_once_and_nothing_is_kept() -> None:
    empty = {**a_screening(), "item": []}
    asked = {one["linkId"] for one in questionnaire()["item"] if one.get("required") and "enableWhen" not in one}
    changes = await written(empty)
    assert await issues(empty) == {("consent.answer-missing", f"{ITEM}.where(linkId='{link}')") for link in asked}
    assert not changes.save


async def test_a_question_is_asked_by_what_was_answered_before() -> None:
    mild = [answered("prior-reaction", **coding("mild", GRADE)), *a_screening()["item"][1:]]
    missing = f"{ITEM}.where(linkId='prior-reaction-kind')"
    assert await issues({**a_screening(), "item": mild}) == {("consent.answer-missing", missing)}


@pytest.mark.parametrize("status", ["in-progress", "entered-in-error", "stopped"])
async def test_what_is_not_complete_need_not_be(status: str) -> None:
    assert await issues({**a_screening(), "status": status, "item": []}) == set()


async def test_answers_in_progress_have_the_right_type_already() -> None:
    wrong = with_item(3, answered("asthma", valueBoolean=True), "in-progress")
    assert await issues(wrong) == {("consent.answer-type", f"{ITEM}[3].answer[0].value")}


async def test_answers_to_version_1_stay_valid_and_a_version_that_never_was_is_refused() -> None:
    first = questionnaire("1")
    answers = [answered("prior-reaction", **coding("none", GRADE))]
    asked = [one["linkId"] for one in first["item"] if one["type"] == "choice" and one["linkId"] != "prior-reaction"]
    old = {
        **a_screening(),
        "questionnaire": f"{first['url']}|1",
        "item": [*answers, *(answered(link, **coding("N")) for link in asked)],
    }
    assert await issues(old) == set()
    never = {**a_screening(), "questionnaire": f"{first['url']}|9"}
    assert await issues(never) == {("consent.questionnaire-version", "QuestionnaireResponse.questionnaire")}


def test_version_2_speaks_both_languages_and_keeps_the_questions_of_version_1() -> None:
    form = questionnaire()
    assert check(form) == []
    assert all(one["_text"]["extension"][0]["extension"][1]["valueString"] for one in form["item"])
    assert {one["linkId"] for one in questionnaire("1")["item"]} <= {one["linkId"] for one in form["item"]}
    assert form["id"] != questionnaire("1")["id"] and form["url"] == questionnaire("1")["url"]


NESTED: Resource = {
    "item": [
        {"linkId": "g", "type": "group", "repeats": True, "item": [
            {"linkId": "n", "type": "integer", "required": True},
            {"linkId": "more", "type": "string", "maxLength": 3, "required": True,
             "enableWhen": [{"question": "n", "operator": ">", "answerInteger": 3}]},
        ]},
        {"linkId": "q", "type": "choice", "repeats": True, "answerOption": [{"valueInteger": 1}], "item": [
            {"linkId": "why", "type": "text", "required": True},
        ]},
    ]
}  # fmt: skip


def found(*items: Resource) -> set[tuple[str, str]]:
    return {(one.what, one.at) for one in faults_of({"item": list(items)}, NESTED, complete=True)}


def test_nested_and_repeated_groups_are_looked_through() -> None:
    one, two = {"linkId": "g", "item": [answered("n", valueInteger=2)]}, {"linkId": "g", "item": []}
    assert found(one, two) == {("missing", f"{ITEM}[1].item.where(linkId='n')")}
    deep = {"linkId": "g", "item": [answered("n", valueInteger=5), answered("more", valueString="long")]}
    assert found(deep) == {("too-long", f"{ITEM}[0].item[1].answer[0].value")}
    under = {"linkId": "q", "answer": [{"valueInteger": 1, "item": [answered("why", valueInteger=1)]}]}
    assert found(under) == {("type", f"{ITEM}[0].answer[0].item[0].answer[0].value")}
    assert found({"linkId": "q", "answer": [{"valueInteger": 1}]}) == {
        ("missing", f"{ITEM}[0].answer[0].item.where(linkId='why')")
    }
    assert found(answered("q", valueInteger=2)) >= {("option", f"{ITEM}[0].answer[0].value")}


@pytest.mark.parametrize(
    ("references", "code"),
    [
        (["ServiceRequest/o-exam", "ServiceRequest/o-other"], "screening-one-exam"),
        (["https://elsewhere.example/fhir/ServiceRequest/o-exam"], "screening-request-missing"),
        ([], "screening-request-missing"),
    ],
)
async def test_a_screening_is_for_one_exam_that_is_known_here(references: list[str], code: str) -> None:
    based = [{"reference": one} for one in references]
    assert await issues({**a_screening(), "basedOn": based}) == {(f"consent.{code}", "QuestionnaireResponse.basedOn")}


@pytest.mark.parametrize(
    ("answer", "faults"),
    [
        (coding("female", GENDER), set()),
        (coding("femal", GENDER), {"option"}),
        (coding("female", "urn:other"), {"option"}),
        ({"valueString": "female"}, set()),
    ],
)
def test_an_answer_is_held_against_the_value_set_of_its_question(answer: Resource, faults: set[str]) -> None:
    drawn = {
        "linkId": "sex",
        "type": "open-choice",
        "answerValueSet": "http://hl7.org/fhir/ValueSet/administrative-gender",
    }
    given = {"item": [answered("sex", **answer)]}
    assert {one.what for one in faults_of(given, {"item": [drawn]}, complete=True)} == faults
    elsewhere = {**drawn, "answerValueSet": "https://his.example/ValueSet/sex"}
    assert not faults_of(given, {"item": [elsewhere]}, complete=True), "a set that is not known here is not judged"
