"""Each invariant of R4 as a predicate: it can hold and fail, agrees with the official expression, and points somewhere."""

import copy
import json
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fhirpathpy import evaluate
from fhirpathpy.models import models
from hypothesis import given, settings
from hypothesis import strategies as st
from slipring.fhir.checks.invariants import declared
from slipring.fhir.checks.invariants.moments import after
from slipring.fhir.checks.shape import MOST_ISSUES, check

CASES = json.loads((Path(__file__).parent / "invariant_cases.json").read_text("utf-8"))
_OFFICIAL_FILE = Path(check.__code__.co_filename).parent / "invariants" / "official.json"
OFFICIAL = {(one["of"], one["key"]): one for one in json.loads(_OFFICIAL_FILE.read_text("utf-8"))["invariants"]}
# Where the official expression cannot be asked, or says something else than its own text.
NOT_ASKED = {
    "sqty-1": "stated on a profile of Quantity, not on a type",
    "con-3": "compares a CodeableConcept with a text; kept by its sense, as a warning",
    "ppc-2": "names a code system 'something'; kept by its sense, as a warning",
    "ppc-3": "as ppc-2",
    "ppc-4": "as ppc-2",
    "ppc-5": "as ppc-2",
    "txt-2": "htmlChecks() is no FHIRPath",
    "dom-3": "the library knows no as(canonical) of untyped descendants",
    "que-7": "names a type Boolean that is none",
    "rng-2": "the library does not order Quantities of one unit",
    "adf-0": "the library anchors matches() at neither end, as FHIRPath 1 said",
    "cmd-0": "as adf-0",
    "mea-0": "as adf-0",
    "pdf-0": "as adf-0",
    "que-0": "as adf-0",
}
_INHERITED = {"Age", "Count", "Distance", "Duration"}


def name(case: dict[str, Any]) -> str:
    return f"{case['of']} {case['key']}"


def holds(of: str, key: str, node: dict[str, Any]) -> bool:
    return declared()[of, key].holds(node) is True


def officially(of: str, key: str, node: dict[str, Any]) -> bool:
    """Whether the official expression is true; nothing at all is not true."""
    one = OFFICIAL["Quantity" if key == "qty-3" else of, key]
    expression = one["expression"].replace(".hasValue()", ".exists()")
    asked = expression if "resourceType" in node else {"base": one["path"], "expression": expression}
    context = {"ucum": "http://unitsofmeasure.org", "resource": node, "rootResource": node}
    return bool(evaluate(node, asked, context, models["r4"]) == [True])


def test_every_predicate_has_a_case_that_holds_and_one_that_fails() -> None:
    cased = {(case["of"], case["key"]) for case in CASES}
    assert {pair for pair in declared() if pair[1] != "sqty-1"} == {pair for pair in cased if pair[1] != "sqty-1"}
    assert "sqty-1" in {key for _, key in cased}


@pytest.mark.parametrize("case", CASES, ids=name)
def test_an_invariant_holds_and_fails_on_its_cases(case: dict[str, Any]) -> None:
    assert holds(case["of"], case["key"], case["holds"])
    assert not holds(case["of"], case["key"], case["fails"])


@pytest.mark.parametrize("case", CASES, ids=name)
def test_an_invariant_speaks_both_languages(case: dict[str, Any]) -> None:
    one = declared()[case["of"], case["key"]]
    assert one.en.isascii()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in one.zh)


ASKED = [case for case in CASES if case["key"] not in NOT_ASKED]


@pytest.mark.parametrize("case", ASKED, ids=name)
def test_the_official_expression_agrees_on_the_cases(case: dict[str, Any]) -> None:
    assert officially(case["of"], case["key"], case["holds"])
    assert not officially(case["of"], case["key"], case["fails"])


@pytest.mark.parametrize("case", ASKED, ids=name)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_official_expression_agrees_on_mixed_up_nodes(case: dict[str, Any], seed: int) -> None:
    node = mixed(case, random.Random(seed))
    if node:
        assert holds(case["of"], case["key"], node) == officially(case["of"], case["key"], node), node


def mixed(case: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """Members of both cases thrown together, some left out; what the schema demands stays."""
    node: dict[str, Any] = {}
    for member in sorted({*case["holds"], *case["fails"]}):
        sources = [source for source in (case["holds"], case["fails"]) if member in source]
        if member in ("resourceType", "type", "mode", "equivalence", "name") or dice.random() < 0.7:
            node[member] = copy.deepcopy(dice.choice(sources)[member])
    return node


def test_a_failure_is_told_at_its_element_with_the_official_key() -> None:
    observation = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "urn:x", "code": "a"}]},
        "valueString": "y",
        "effectivePeriod": {"start": "2026-02", "end": "2026-01"},
        "component": [{"code": {"text": "b"}}, {"code": {"coding": [{"system": "urn:x", "code": "a"}]}}],
        "referenceRange": [{"low": {"value": Decimal("1"), "comparator": "<"}}],
    }
    found = {(issue.detail, issue.at) for issue in check(observation)}
    assert found == {
        ("invariant.obs-7", "Observation.component[1].code"),
        ("invariant.per-1", "Observation.effectivePeriod"),
        ("invariant.sqty-1", "Observation.referenceRange[0].low"),
    }
    assert all(issue.code == "invariant" and issue.severity == "error" for issue in check(observation))


def test_warnings_are_told_only_when_validation_is_asked_for() -> None:
    questionnaire = {"resourceType": "Questionnaire", "status": "draft", "name": "not good"}
    assert check(questionnaire) == []
    told = {issue.detail: issue.severity for issue in check(questionnaire, profiles=())}
    assert told == {"invariant.que-0": "warning", "invariant.dom-6": "warning"}


def test_more_faults_than_a_person_reads_are_counted_instead() -> None:
    patient = {"resourceType": "Patient", "contact": [{"gender": "male"}] * (MOST_ISSUES + 7)}
    found = check(patient)
    assert len(found) == MOST_ISSUES + 1
    assert found[-1].severity == "information"
    assert "7" in found[-1].en
    assert "7" in found[-1].zh


def test_invariants_of_a_broken_shape_raise_nothing() -> None:
    broken = {"resourceType": "Observation", "effectivePeriod": {"start": 5, "end": ["x"]}, "component": 7}
    assert {issue.at for issue in check(broken)} >= {"Observation.effectivePeriod.start", "Observation.component"}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("2026-03", "2026-02", True),
        ("2026-02", "2026", False),
        ("2027", "2026-05-01", True),
        ("2026-01-01T00:00:00+08:00", "2025-12-31T15:59:59Z", True),
        ("2026-01-01T00:00:00+08:00", "2025-12-31T16:00:00Z", False),
        ("2026-01-02", "2026-01-01T23:00:00-12:00", False),
        ("2026-01-05", "2026-01-01T23:00:00Z", True),
        ("2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00Z", True),
        ("2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z", True),
        ("9999-12-31", "9999", False),
    ],
)
def test_moments_of_different_precision_are_compared_only_when_sure(first: str, second: str, expected: bool) -> None:
    assert after(first, second) is expected
