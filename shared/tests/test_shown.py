"""A resource in part: what stays keeps its characters, what goes is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from slipring.fhir.interactions.shown import shown
from slipring.fhir.search.elements import elements_of, names_of
from slipring.fhir.search.parameter import searchable_types

OBSERVATION = (
    '{"resourceType":"Observation","id":"o-1","meta":{"versionId":"1","tag":[{"code":"t"}]},'
    '"text":{"status":"generated","div":"<div>x</div>"},"status":"fin\\u0061l","_status":{"id":"s"},'
    '"code":{"text":"\\u4f60"},"valueQuantity":{"value": 1.50},"note":[{"text":"n"}],"modifierExtension":[{"url":"urn:m"}],'
    '"component":[{"code":{"text":"c"},"interpretation":[{"text":"i"}],"valueInteger":3}]}'
)


def members(text: str) -> list[str]:
    return [name for name in json.loads(text) if name not in ("resourceType", "id", "meta", "modifierExtension")]


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ({"summary": "true"}, ["status", "_status", "code", "valueQuantity", "component"]),
        ({"summary": "text"}, ["text", "status", "_status", "code"]),
        ({"summary": "data"}, ["status", "_status", "code", "valueQuantity", "note", "component"]),
        ({"elements": ["note"]}, ["status", "_status", "code", "note"]),
        ({"elements": ["value"]}, ["status", "_status", "code", "valueQuantity"]),
        ({"elements": ["valueQuantity", "note"], "summary": "true"}, ["status", "_status", "code", "valueQuantity"]),
    ],
)
def test_a_part_keeps_what_was_asked_for_and_what_is_mandatory(asked: dict[str, Any], kept: list[str]) -> None:
    text = shown(OBSERVATION, **asked)
    assert members(text) == kept
    tree = json.loads(text)
    assert tree["meta"]["tag"][0] == {"code": "t"}
    assert tree["meta"]["tag"][1]["code"] == "SUBSETTED"
    assert tree["modifierExtension"] == [{"url": "urn:m"}]
    assert '"status":"fin\\u0061l"' in text
    assert '"value": 1.50' in text or "valueQuantity" not in kept


@pytest.mark.parametrize("asked", [{}, {"summary": "false"}])
def test_a_whole_resource_is_the_stored_text(asked: dict[str, Any]) -> None:
    assert shown(OBSERVATION, **asked) is OBSERVATION


def test_a_summary_looks_into_parts_and_types() -> None:
    component = json.loads(shown(OBSERVATION, summary="true"))["component"][0]
    assert list(component) == ["code", "valueInteger"]
    attachment = {"contentType": "application/pdf", "data": "JVBERg==", "url": "urn:x"}
    document = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": attachment}]}
    kept = json.loads(shown(json.dumps(document), summary="true"))["content"][0]["attachment"]
    assert list(kept) == ["contentType", "url"]


def test_every_searchable_type_says_what_its_elements_are() -> None:
    for resource_type in searchable_types():
        assert elements_of(resource_type)["id"].summary, resource_type
    assert {"value", "valueQuantity", "code"} <= names_of("Observation")
    assert not {"val", "part", "resourceType"} & names_of("Encounter")
