"""What a query string is taken to ask, and how a wrong one is refused."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from slipring.fhir.outcome import FhirError
from slipring.fhir.search.criteria import Criteria, parse
from slipring.fhir.search.parameter import parameters_for, searchable_types
from slipring.fhir.search.values import DateValue, ReferenceValue, TextValue, TokenValue, Value


def asked(query: str, *, lenient: bool = False) -> Criteria:
    resource_type, _, text = query.partition("?")
    return parse(resource_type, parse_qsl(text, keep_blank_values=True), lenient=lenient)


def values(query: str) -> tuple[Value, ...]:
    (clause,) = asked(query).clauses
    return clause.values


def refused(query: str) -> FhirError:
    with pytest.raises(FhirError) as caught:
        asked(query)
    assert caught.value.status == 400
    assert caught.value.issues[0].zh
    assert caught.value.issues[0].zh != caught.value.issues[0].en
    return caught.value


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Task?code=a", TokenValue(None, "a")),
        ("Task?code=urn:s|a", TokenValue("urn:s", "a")),
        ("Task?code=|a", TokenValue("", "a")),
        ("Task?code=urn:s|", TokenValue("urn:s", None)),
        (r"Task?code=urn:s|a\,b\|c\$d\\e", TokenValue("urn:s", r"a,b|c$d\e")),
        ("Task?status=http://hl7.org/fhir/task-status|requested", TokenValue("", "requested")),
        ("Task?_id=a", TokenValue(None, "a")),
        ("Task?_profile=urn:p|1", TokenValue(None, "urn:p|1")),
        ("Task?focus=ServiceRequest/o-1", ReferenceValue("ServiceRequest", "o-1")),
        ("Task?focus=o-1", ReferenceValue(None, "o-1")),
        ("Task?focus:ServiceRequest=o-1", ReferenceValue("ServiceRequest", "o-1")),
        ("Task?patient=7", ReferenceValue("Patient", "7")),
        ("Task?focus=urn:x:1", ReferenceValue("", "urn:x:1")),
        ("Task?focus:identifier=urn:s|7", TokenValue("urn:s", "7")),
        ("Patient?name=M%C3%BCller", TextValue("muller", "Müller")),
    ],
)
def test_a_value_is_read_by_its_parameters_type(query: str, expected: Value) -> None:
    assert values(query) == (expected,)


def test_commas_part_values_and_repeats_part_clauses() -> None:
    assert values(r"Task?code=a,b\,c") == (TokenValue(None, "a"), TokenValue(None, "b,c"))
    assert len(asked("Task?code=a&code=b").clauses) == 2


@pytest.mark.parametrize("prefix", ["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"])
def test_a_date_takes_a_prefix(prefix: str) -> None:
    (value,) = values(f"Task?authored-on={prefix}2026-02-03")
    (plain,) = values("Task?authored-on=2026-02-03")
    assert isinstance(value, DateValue)
    assert isinstance(plain, DateValue)
    assert value == DateValue(prefix, plain.low, plain.high)  # type: ignore[arg-type]


def test_an_unescaped_plus_of_an_offset_is_understood() -> None:
    assert values("Task?authored-on=2026-02-03T04:05:06+08:00") == values(
        "Task?authored-on=2026-02-03T04:05:06%2B08:00"
    )


def test_controls_are_read_and_no_clauses() -> None:
    criteria = asked(
        "Task?_count=5&_sort=-authored-on,_id&_total=accurate&_summary=false&_elements=id,code&_format=json"
    )
    assert criteria.clauses == ()
    assert [(rule.parameter.code, rule.descending) for rule in criteria.sort] == [("authored-on", True), ("_id", False)]
    assert (criteria.count, criteria.total, criteria.summary) == (5, "accurate", "false")
    assert criteria.elements == ("id", "code")


def test_an_unknown_parameter_is_refused_with_the_valid_ones_named() -> None:
    issue = refused("Task?fokus=1").issues[0]
    assert "fokus" in issue.en
    assert "business-status" in issue.en
    assert "business-status" in issue.zh
    assert issue.at == "http.fokus"


def test_an_unknown_modifier_is_refused_with_the_valid_ones_named() -> None:
    assert ":exact" in refused("Patient?name:fuzzy=x").issues[0].en
    assert ":Encounter" in refused("Task?encounter:Patient=x").issues[0].en


@pytest.mark.parametrize(
    "query",
    [
        "Task?authored-on=yesterday",
        "Task?authored-on=zz2026",
        "Task?authored-on=2026-02-30",
        "Task?code=",
        "Task?code=a,,b",
        "Task?code=a|b|c",
        "Task?code=|",
        "Task?code:missing=maybe",
        "Task?focus=a b",
        "Task?focus=/Patient/1",
        "Task?focus=#x",
        "Task?focus:Patient=Group/1",
        "Task?_count=-1",
        "Task?_count=²",
        "Observation?_sort=code-value-quantity",
        "Task?_sort=",
        "Task?_total=some",
        "Task?_summary=short",
        "Task?code:=a",
        "Task?subject.name=x",
        "Task?_has:Task:focus:code=x",
        "Task?code=a%00",
        "Patient?name=%20",
    ],
)
def test_a_wrong_search_is_refused_and_the_parameter_named(query: str) -> None:
    name = query.partition("?")[2].partition("=")[0].partition(":")[0]
    text = refused(query).issues[0]
    assert name in text.en
    assert name in text.zh


def test_a_refusal_does_not_repeat_the_value() -> None:
    issue = refused("Patient?birthdate=zhangsan").issues[0]
    assert "zhangsan" not in issue.en + issue.zh + issue.at


def test_lenient_handling_drops_what_is_unknown_and_says_so() -> None:
    criteria = asked("Task?fokus=1&code:fuzzy=2&code=a&_sort=focused,code", lenient=True)
    assert [clause.parameter.code for clause in criteria.clauses] == ["code"]
    assert criteria.ignored == ("fokus", "code:fuzzy", "_sort=focused")
    assert ("code", "a") in criteria.pairs


def test_the_canonical_form_does_not_depend_on_order() -> None:
    assert asked("Task?code=a,b&status=x").canonical() == asked("Task?status=x&code=b,a").canonical()
    assert asked("Task?code=a").canonical() != asked("Task?code:not=a").canonical()


def test_every_kept_type_has_its_parameters() -> None:
    assert len(searchable_types()) >= 46
    for resource_type in searchable_types():
        for code, parameter in parameters_for(resource_type).items():
            assert parameter.code == code
            assert parameter.column or parameter.paths or parameter.of
            assert parameter.url.startswith("http://hl7.org/fhir/SearchParameter/")


def test_a_type_without_parameters_of_its_own_has_the_common_ones() -> None:
    assert list(parameters_for("Account")) == ["_id", "_lastUpdated", "_profile", "_security", "_source", "_tag"]
