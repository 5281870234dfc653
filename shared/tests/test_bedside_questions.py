"""Any Questionnaire as a form: its fields, what they become, and what is asked."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import msgspec
import pytest
from hypothesis import given as given_any
from hypothesis import strategies
from slipring.bedside.answers import as_form, filled
from slipring.bedside.enabling import asked, holds
from slipring.bedside.questions import Question, questions_of

YES = {"system": "http://terminology.hl7.org/CodeSystem/v2-0532", "code": "Y", "display": "Yes"}
NO = {**YES, "code": "N", "display": "No"}
UNIT = {
    "url": "http://hl7.org/fhir/StructureDefinition/questionnaire-unit",
    "valueCoding": {"system": "http://unitsofmeasure.org", "code": "umol/L", "display": "µmol/L"},
}
ITEMS: list[dict[str, Any]] = [
    {"linkId": "reacted", "type": "choice", "text": "反应", "answerOption": [{"valueCoding": YES}, {"valueCoding": NO}]},
    {
        "linkId": "when",
        "type": "date",
        "text": "何时",
        "enableWhen": [{"question": "reacted", "operator": "=", "answerCoding": {"system": YES["system"], "code": "Y"}}],
    },
    {
        "linkId": "kidneys",
        "type": "group",
        "text": "肾功能",
        "item": [
            {"linkId": "creatinine", "type": "quantity", "text": "肌酐", "extension": [UNIT]},
            {"linkId": "doses", "type": "integer", "text": "次数"},
        ],
    },
    {"linkId": "drugs", "type": "group", "repeats": True, "text": "用药", "item": [{"linkId": "drug", "type": "string", "text": "药名"}]},
    {
        "linkId": "signs",
        "type": "open-choice",
        "repeats": True,
        "text": "表现",
        "answerOption": [{"valueString": "rash"}, {"valueString": "itch"}],
    },
    {"linkId": "fit", "type": "boolean", "text": "适合", "item": [{"linkId": "why", "type": "text", "text": "原因"}]},
]  # fmt: skip
QUESTIONS = questions_of(ITEMS)
FORM = {
    "q0": f"{YES['system']}|Y", "q1": "2020-05-06", "q2-0": "88.50", "q2-1": "2", "q3#0-0": "metformin", "q3#1-0": "propranolol",
    "q4.1": "itch", "q4.other": "cough", "q5": "false", "q5-0": "tired",
}  # fmt: skip


def plain(items: list[Any]) -> list[Any]:
    """As they travel."""
    found: list[Any] = msgspec.json.decode(msgspec.json.encode(items))
    return found


def test_a_form_becomes_the_items_of_a_response_in_the_order_of_the_questionnaire() -> None:
    told = filled(QUESTIONS, FORM, UTC)
    assert told.beside == {}
    assert plain(told.items) == [
        {"linkId": "reacted", "answer": [{"valueCoding": YES}]},
        {"linkId": "when", "answer": [{"valueDate": "2020-05-06"}]},
        {
            "linkId": "kidneys",
            "item": [
                {
                    "linkId": "creatinine",
                    "answer": [
                        {
                            "valueQuantity": {
                                "value": 88.5,
                                "unit": "µmol/L",
                                "system": "http://unitsofmeasure.org",
                                "code": "umol/L",
                            }
                        }
                    ],
                },
                {"linkId": "doses", "answer": [{"valueInteger": 2}]},
            ],
        },
        {"linkId": "drugs", "item": [{"linkId": "drug", "answer": [{"valueString": "metformin"}]}]},
        {"linkId": "drugs", "item": [{"linkId": "drug", "answer": [{"valueString": "propranolol"}]}]},
        {"linkId": "signs", "answer": [{"valueString": "itch"}, {"valueString": "cough"}]},
        {
            "linkId": "fit",
            "answer": [{"valueBoolean": False, "item": [{"linkId": "why", "answer": [{"valueString": "tired"}]}]}],
        },
    ]
    assert b"88.50" in msgspec.json.encode(told.items), "a number stays as it was typed"


def test_a_response_is_shown_as_the_form_that_it_came_from() -> None:
    items = filled(QUESTIONS, FORM, UTC).items
    shown = as_form(QUESTIONS, items)
    assert {name: value for name, value in shown.items() if not name.endswith(".unit")} == FORM
    assert plain(filled(QUESTIONS, shown, UTC).items) == plain(items)


def test_an_answer_to_a_question_that_is_not_asked_is_left_out() -> None:
    told = filled(QUESTIONS, {**FORM, "q0": f"{NO['system']}|N"}, UTC)
    assert [item["linkId"] for item in told.items][:2] == ["reacted", "kidneys"]


@pytest.mark.parametrize(
    ("field", "typed", "says"),
    [
        ("q1", "2020-13-01", "date"), ("q2-0", "much", "number"), ("q2-1", "1.5", "number"), ("q2-0", "1e999999", "number"),
        ("q2-0", "NaN", "number"), ("q0", "maybe", "Choose"), ("q5", "perhaps", "Choose"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_said_beside_its_field(field: str, typed: str, says: str) -> None:
    told = filled(QUESTIONS, {**FORM, field: typed}, UTC)
    assert says in told.beside[field][1] and told.beside[field][0]


def test_full_width_digits_of_a_chinese_keyboard_are_digits() -> None:
    told = filled(QUESTIONS, {"q2-1": "１２"}, UTC)
    assert told.beside == {} and told.items[0]["item"][0]["answer"] == [{"valueInteger": 12}]


def test_a_refusal_finds_its_field_by_link_and_by_place() -> None:
    fields = filled(QUESTIONS, FORM, UTC).fields
    assert fields["creatinine"] == "q2-0" and fields["item[2].item[0]"] == "q2-0" and fields["item[0]"] == "q0"


@pytest.mark.parametrize(
    ("operator", "value", "answers", "expected"),
    [
        ("exists", {"answerBoolean": True}, [], False), ("exists", {"answerBoolean": False}, [], True),
        ("=", {"answerInteger": 3}, ["3.0"], True), (">", {"answerDecimal": 9}, ["10"], True), ("<", {"answerInteger": 9}, ["10"], False),
        (">=", {"answerDate": "2026-01-01"}, ["2026-01-01"], True), ("!=", {"answerString": "a"}, ["b"], True),
        ("=", {"answerString": "a"}, [], False),
    ],
)  # fmt: skip
def test_a_condition_compares_as_fhir_says(operator: str, value: Any, answers: list[str], expected: bool) -> None:
    condition = {"question": "x", "operator": operator, **value}
    [one] = questions_of([{"linkId": "y", "type": "string", "text": "y", "enableWhen": [condition]}])
    assert holds(one, {"x": answers}) is expected


def test_what_hangs_on_a_question_that_is_not_asked_is_not_asked() -> None:
    assert "why" in asked(QUESTIONS, {}) and "when" not in asked(QUESTIONS, {})
    below = [{"linkId": "c", "type": "string", "text": "c"}]
    hidden = {"question": "nobody", "operator": "exists", "answerBoolean": True}
    assert asked(questions_of([{"linkId": "g", "type": "group", "enableWhen": [hidden], "item": below}]), {}) == set()


@given_any(strategies.dictionaries(strategies.sampled_from([*FORM, "q9", "q3#7-0", "q2-0.unit"]), strategies.text()))
def test_whatever_a_form_says_is_read_or_refused_and_never_breaks(form: dict[str, str]) -> None:
    told = filled(QUESTIONS, form, UTC)
    msgspec.json.encode(told.items)
    assert all(field in {f"q{one.at}" for one in _all(QUESTIONS)} or "#" in field for field in told.beside)


def _all(questions: Any) -> list[Question]:
    return [each for one in questions for each in (one, *_all(one.items))]
