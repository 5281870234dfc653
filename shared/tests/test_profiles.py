"""A profile is one set of data: what is served as StructureDefinition is what resources are held against."""

import copy
from pathlib import Path
from typing import Any

import pytest
from slipring.fhir.checks.shape import check
from slipring.fhir.profiles import Profile, declare, profile, profiles, read_profiles
from slipring.fhir.profiles.conformance import holds
from slipring.fhir.service import CANONICAL
from slipring.fhir.terminology import CodeSystem, Concept
from slipring.fhir.terminology import declare as declare_codes

TEXT = """
[[profile]]
id = "tinted-request"
type = "ServiceRequest"
title = "Tinted request"
zh = "染色申请"
description = "A request for tests."
[[profile.element]]
id = "extension:tint"
profile = "{C}/StructureDefinition/tint"
min = 1
max = "1"
short = "the tint"
zh = "颜色"
[[profile.element]]
id = "intent"
fixedCode = "order"
[[profile.element]]
id = "identifier"
slicing = "type"
[[profile.element]]
id = "identifier:placer"
min = 1
max = "1"
[[profile.element]]
id = "identifier:placer.type"
patternCodeableConcept = { coding = [{ code = "PLAC" }] }
[[profile.element]]
id = "identifier:placer.value"
min = 1
[[profile.element]]
id = "subject"
targets = ["Patient"]
[[profile.element]]
id = "occurrence[x]"
types = ["dateTime"]
max = "1"
[[profile.element]]
id = "priority"
valueSet = "{C}/ValueSet/test-priority"

[[profile]]
id = "tint"
type = "Extension"
title = "Tint"
zh = "颜色"
description = "A tint for tests."
context = ["ServiceRequest"]
[[profile.element]]
id = "url"
fixedUri = "{C}/StructureDefinition/tint"
[[profile.element]]
id = "value[x]"
types = ["code"]
min = 1
"""
URL = f"{CANONICAL}/StructureDefinition/tinted-request"
PRIORITY = f"{CANONICAL}/CodeSystem/test-priority"
SOUND: dict[str, Any] = {
    "resourceType": "ServiceRequest",
    "status": "active",
    "intent": "order",
    "priority": "stat",
    "extension": [{"url": f"{CANONICAL}/StructureDefinition/tint", "valueCode": "red"}],
    "identifier": [{"value": "7"}, {"type": {"coding": [{"system": "x", "code": "PLAC"}]}, "value": "8"}],
    "subject": {"reference": "Patient/1"},
    "occurrenceDateTime": "2026-01-31",
}


@pytest.fixture(autouse=True)
def declared(tmp_path: Path) -> tuple[Profile, ...]:
    file = tmp_path / "profiles.toml"
    file.write_text(TEXT, encoding="utf-8")
    found = read_profiles(file)
    declare(found)
    declare_codes([CodeSystem(PRIORITY, "P", "P", (Concept(PRIORITY, "stat", "Stat"),))])
    return found


def told(changes: dict[str, Any], url: str = URL) -> list[tuple[str, str]]:
    changed = {key: value for key, value in (copy.deepcopy(SOUND) | changes).items() if value is not ...}
    issues = [issue for issue in check(changed, profiles=[url]) if issue.detail.startswith("profile.")]
    assert all(issue.zh and issue.en for issue in issues)
    return [(issue.at, issue.detail.removeprefix("profile.")) for issue in issues]


def test_a_resource_that_is_what_the_profile_says_passes() -> None:
    assert told({}) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"extension": ...}, ("ServiceRequest.extension", "required")),
        ({"extension": SOUND["extension"] * 2}, ("ServiceRequest.extension[1]", "max")),
        (
            {"extension": [{"url": f"{CANONICAL}/StructureDefinition/tint", "valueString": "red"}]},
            ("ServiceRequest.extension[0].valueString", "type"),
        ),
        ({"intent": "plan"}, ("ServiceRequest.intent", "fixed")),
        ({"identifier": [{"value": "7"}]}, ("ServiceRequest.identifier", "required")),
        ({"identifier": SOUND["identifier"] * 2}, ("ServiceRequest.identifier[3]", "max")),
        (
            {"identifier": [{"type": {"coding": [{"code": "PLAC"}]}}]},
            ("ServiceRequest.identifier[0].value", "required"),
        ),
        ({"subject": {"reference": "Group/1"}}, ("ServiceRequest.subject", "target")),
        ({"subject": {"reference": "https://a/fhir/Group/1"}}, ("ServiceRequest.subject", "target")),
        (
            {"occurrenceDateTime": ..., "occurrencePeriod": {"start": "2026"}},
            ("ServiceRequest.occurrencePeriod", "type"),
        ),
        ({"priority": "routine"}, ("ServiceRequest.priority", "code")),
    ],
)
def test_what_departs_from_the_profile_is_told_at_its_place(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    assert told(changes) == [expected]


def test_a_profile_that_is_not_known_is_said_to_be_unknown_and_refuses_nothing() -> None:
    resource = SOUND | {"meta": {"profile": ["http://elsewhere.example/StructureDefinition/x"]}}
    assert check(resource) == []
    issues = [issue for issue in check(resource, profiles=[]) if "invariant" not in issue.detail]
    assert [(issue.severity, issue.detail) for issue in issues] == [("warning", "profile.unknown")]


def test_a_claimed_profile_is_checked_when_validation_is_asked_for() -> None:
    claimed = SOUND | {"meta": {"profile": [URL]}, "intent": "plan"}
    assert check(claimed) == []
    assert "ServiceRequest.intent" in [issue.at for issue in check(claimed, profiles=())]


@pytest.mark.parametrize("meta", [None, 5, {"profile": None}, {"profile": 5}, {"profile": [None, 5, URL]}])
def test_a_resource_of_wrong_shape_is_not_held_against_profiles(meta: Any) -> None:
    issues = check(SOUND | {"meta": meta}, profiles=[URL])
    assert "error" in {issue.severity for issue in issues}
    assert [issue.detail for issue in issues if issue.detail.startswith("profile.")] == ["profile.not-checked"]


def test_a_profile_of_another_type_is_told_once() -> None:
    patient = {"resourceType": "Patient"}
    issues = check(patient, profiles=[URL])
    assert [issue.at for issue in issues if issue.severity == "error"] == ["Patient"]


def test_the_structure_definition_says_what_is_checked(declared: tuple[Profile, ...]) -> None:
    for one in declared:
        definition = one.structure_definition()
        assert definition["url"] == one.url
        assert definition["derivation"] == "constraint"
        written = definition["differential"]["element"]
        assert [element["id"] for element in written[1:]] == [f"{one.type}.{element['id']}" for element in one.element]
    request = declared[0].structure_definition()["differential"]["element"]
    by_id = {element["id"]: element for element in request}
    assert by_id["ServiceRequest.identifier"]["slicing"]["discriminator"] == [{"type": "pattern", "path": "type"}]
    assert by_id["ServiceRequest.identifier:placer"]["sliceName"] == "placer"
    assert by_id["ServiceRequest.identifier:placer.type"]["path"] == "ServiceRequest.identifier.type"
    assert by_id["ServiceRequest.priority"]["binding"]["valueSet"] == f"{CANONICAL}/ValueSet/test-priority"
    assert by_id["ServiceRequest.extension:tint"]["type"] == [
        {"code": "Extension", "profile": [f"{CANONICAL}/StructureDefinition/tint"]}
    ]


def test_known_profiles_are_found_by_their_address() -> None:
    found = profile(URL)
    assert found in profiles()
    assert profile(f"{URL}|1") == found
    assert profile(f"{URL}|2") is None


@pytest.mark.parametrize(
    ("value", "pattern", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ([{"a": 1}, {"a": 2}], [{"a": 2}], True),
        ([{"a": 1}], [{"a": 2}], False),
        (True, 1, False),
        ("x", ["x"], False),
    ],
)
def test_a_pattern_asks_for_at_least_what_it_says(value: Any, pattern: Any, expected: bool) -> None:
    assert holds(value, pattern) is expected
