"""An operation is called with the parameters it declares, in their types and as often as they may be said."""

from __future__ import annotations

from typing import Any

import pytest
from slipring.fhir.interactions.asked import Asked, parameters
from slipring.fhir.interactions.parameters import addressed, faults
from slipring.fhir.service import Call, Changes, Desk, Operation, Parameter

PARTS = (Parameter("card", "uuid", min=1), Parameter("comment", "string"))


async def nothing(call: Call, desk: Desk) -> Changes:
    return Changes.none()


OPERATION = Operation(
    "Task", "x", nothing,
    parameters=(
        Parameter("scanner", "Reference"),
        Parameter("item", "code", min=1, max="*"),
        Parameter("day", "date"),
        Parameter("count", "integer"),
        Parameter("share", "decimal"),
        Parameter("certain", "boolean"),
        Parameter("data", "Bundle"),
        Parameter("feedback", "BackboneElement", max="*", parts=PARTS),
        Parameter("return", "Task", use="out"),
    ),
)  # fmt: skip
ITEM = {"name": "item", "valueCode": "a"}


def found(*given: dict[str, Any]) -> list[tuple[str, str]]:
    issues = faults(OPERATION, {"resourceType": "Parameters", "parameter": list(given)})
    assert all(issue.zh and issue.en for issue in issues)
    return [(issue.detail.removeprefix("kernel.parameter-"), issue.at) for issue in issues]


@pytest.mark.parametrize(
    "given",
    [
        {"name": "scanner", "valueReference": {"reference": "Device/o-1"}},
        {"name": "item", "valueString": "written alike"},
        {"name": "day", "valueDateTime": "2026-03-01"},
        {"name": "count", "valuePositiveInt": 3},
        {"name": "share", "valueInteger": 3},
        {"name": "certain", "valueBoolean": False},
        {"name": "data", "resource": {"resourceType": "Bundle"}},
        {"name": "feedback", "part": [{"name": "card", "valueUuid": "urn:uuid:x"}]},
    ],
)
def test_what_is_declared_is_taken(given: dict[str, Any]) -> None:
    assert found(ITEM, given) == []


@pytest.mark.parametrize(
    "given",
    [
        {"name": "scanner", "valueString": "Device/o-1"},
        {"name": "scanner", "part": [ITEM]},
        {"name": "item", "valueCoding": {"code": "a"}},
        {"name": "day", "valueString": "2026-03-01"},
        {"name": "count", "valueDecimal": 2.5},
        {"name": "certain", "valueString": "true"},
        {"name": "data", "resource": {"resourceType": "Patient"}},
        {"name": "data", "valueReference": {"reference": "Bundle/1"}},
        {"name": "feedback", "valueString": "x"},
    ],
)
def test_another_type_is_named_where_it_stands(given: dict[str, Any]) -> None:
    assert found(ITEM, given) == [("type", "Parameters.parameter[1]")]


def test_a_name_that_is_not_declared_and_one_that_only_comes_out_are_none() -> None:
    out = {"name": "return", "resource": {"resourceType": "Task"}}
    assert found(ITEM, {"name": "scaner", "valueString": "x"}, out) == [
        ("unknown", "Parameters.parameter[1].name"),
        ("unknown", "Parameters.parameter[2].name"),
    ]


def test_what_may_be_said_once_is_not_said_twice_and_what_repeats_may_repeat() -> None:
    day = {"name": "day", "valueDate": "2026-03-01"}
    assert found(ITEM, ITEM, day) == []
    assert found(ITEM, day, day) == [("repeated", "Parameters.parameter[2]")]


def test_parts_are_held_against_what_is_declared_too() -> None:
    wrong = {"name": "feedback", "part": [{"name": "comment", "valueBoolean": True}, {"name": "x", "valueCode": "y"}]}
    assert found(ITEM, wrong) == [
        ("type", "Parameters.parameter[1].part[0]"),
        ("unknown", "Parameters.parameter[1].part[1].name"),
        ("missing", "Parameters.parameter[1].part.where(name='card')"),
    ]


def test_what_must_be_said_is_missed() -> None:
    assert found() == [("missing", "Parameters.parameter.where(name='item')")]


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("scanner=Device/o-1&item=a&item=b", [{"reference": "Device/o-1"}, "a", "b"]),
        ("count=3&certain=false&day=2026-03", [3, False, "2026-03"]),
        (
            "count=03&certain=no&_format=json&shoe=1",
            ["03", "no"],
        ),  # what is no such value stays text, and is refused so
        ("", []),
    ],
)
def test_an_address_says_values_of_the_declared_types(query: str, values: list[Any]) -> None:
    said = addressed(OPERATION, Asked("GET", "Task/$x", parameters(query.encode())))
    assert [next(v for k, v in one.items() if k != "name") for one in said.get("parameter", [])] == values


def test_what_stores_or_needs_more_than_plain_values_has_no_address() -> None:
    plain = (Parameter("day", "date"), Parameter("return", "Task", use="out"))
    assert Operation("Task", "x", nothing, affects_state=False, parameters=plain).plain
    assert not Operation("Task", "x", nothing, parameters=plain).plain
    assert not Operation("Task", "x", nothing, affects_state=False, step_up=True, parameters=plain).plain
    for one in ("string", "base64Binary", "Bundle", "Period"):
        assert not Operation("Task", "x", nothing, affects_state=False, parameters=(Parameter("a", one),)).plain
