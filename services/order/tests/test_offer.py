"""Exams and protocols as resources: whole, bilingual, well-formed, and the department's own from the first change on."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.checks.shape import check
from slipring.fhir.service import Resource, Stored
from slipring_order.catalogue import own_codes
from slipring_order.offer.activity import PREPARATION, activity_definition
from slipring_order.offer.defined import exam_in
from slipring_order.offer.preparation import PARTS, VIEWS, preparation_of
from slipring_order.offer.protocols import protocols
from slipring_order.offer.shipped import SHIPPED, is_as_shipped, print_of, reference_to, shipped, to_store

RELEASE = shipped()
CHEST = next(one for one in RELEASE if one["id"] == "o-exam-ct-chest-contrast")
PROTOCOL = next(one for one in RELEASE if one["id"] == "o-protocol-chest-with-adult")
AT = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.mark.clause("5.4.4.2", "5.4.4.1")
def test_every_exam_has_all_five_parts_for_both_readers_in_both_languages() -> None:
    for code, exam in own_codes().items():
        texts = {(text.part, text.view): text for text in preparation_of(exam)}
        assert set(texts) == {(part, view) for part in PARTS for view in VIEWS}, code
        for text in texts.values():
            assert any("\u4e00" <= c <= "\u9fff" for c in text.zh) and text.en.isascii(), (code, text)


@pytest.mark.clause("5.4.4.2")
@pytest.mark.parametrize(("code", "part", "view", "said"), [
    ("ct-pelvis-plain", "timing", "patient", "憋尿"), ("ct-abdomen-contrast", "timing", "patient", "4小时"),
    ("cta-coronary", "prepare", "clinician", "心率"), ("ct-knee", "request", "clinician", "左侧"),
    ("biopsy-lung", "data", "clinician", "凝血"), ("ct-chest-contrast", "data", "clinician", "eGFR"),
])  # fmt: skip
def test_what_an_exam_needs_is_said_and_a_plain_one_is_not_troubled_with_it(
    code: str, part: str, view: str, said: str
) -> None:
    def text(of: str) -> str:
        return next(t.zh for t in preparation_of(own_codes()[of]) if (t.part, t.view) == (part, view))

    assert said in text(code) and said not in text("ct-head-plain")


def test_what_is_shipped_is_sound_r4_with_ids_and_addresses_of_its_own() -> None:
    assert [(one["id"], issue) for one in RELEASE for issue in check(one)] == []
    references = [reference_to(one) for one in RELEASE]
    assert len(set(references)) == len(references) and len({one["url"] for one in RELEASE}) == len(references)
    assert all(len(one["id"]) <= 64 for one in RELEASE)


def test_a_definition_reads_back_as_its_exam() -> None:
    for exam in own_codes().values():
        read = exam_in(activity_definition(exam))
        assert read is not None
        assert (read.code, read.loinc, read.systems, read.phases, read.contrast, read.laterality) == (
            exam.code, exam.loinc, exam.systems, exam.phases, exam.contrast, exam.laterality,
        )  # fmt: skip
        assert read.regions <= exam.regions or not exam.place, exam.code


@pytest.mark.clause("5.5.3")
def test_every_exam_has_a_protocol_for_adults_and_for_children_that_waits_for_its_confirmation() -> None:
    def contexts(plan: Resource) -> set[str]:
        return {c["code"] for u in plan.get("useContext", []) for c in u["valueCodeableConcept"]["coding"]}

    made = [contexts(plan) for plan in protocols()]
    for exam in own_codes().values():
        for age in ("adult", "child"):
            assert {exam.protocol, exam.phases, age} in made, exam.code
    assert {plan["status"] for plan in protocols()} == {"draft"}
    assert {plan["extension"][0]["valueCode"] for plan in protocols()} == {"U", "R"}


@pytest.mark.clause("5.5.3")
def test_a_protocol_states_parameters_of_each_phase_and_what_the_procedure_asks() -> None:
    phases = {action["code"][0]["coding"][0]["code"]: action for action in PROTOCOL["action"]}
    assert list(phases) == ["localizer", "venous"]
    stated = {e["extension"][0]["valueCode"]: e["extension"][1]["valueQuantity"] for e in phases["venous"]["extension"]}
    assert set(stated) == {"kvp", "reference-mas", "pitch", "slice", "contrast-dose", "contrast-rate", "delay"}
    assert (stated["kvp"]["value"], stated["kvp"]["code"]) == (120, "kV")
    said = {e["extension"][0]["valueCode"] for e in PROTOCOL["extension"] if len(e.get("extension", [])) == 2}
    assert said == {"positioning", "protection", "interference", "post-processing", "contrast"}
    child = next(one for one in RELEASE if one["id"] == "o-protocol-chest-with-child")
    assert child["action"][1]["extension"][0]["extension"][1]["valueQuantity"]["value"] < 120


@pytest.mark.clause("5.5.3")
def test_ct_numbers_of_tissues_are_stated_from_air_to_bone() -> None:
    table = next(one for one in RELEASE if one["id"] == "o-protocol-tissue-ct-numbers")
    ranges = {g["target"][0]["measure"]["coding"][0]["code"]: g["target"][0]["detailRange"] for g in table["goal"]}
    assert len(ranges) == 17 and ranges["air"]["low"]["value"] == -1000
    assert (ranges["liver"]["low"]["value"], ranges["liver"]["high"]["value"]) == (50, 65)
    assert "high" not in ranges["cortical-bone"] and ranges["cortical-bone"]["low"]["value"] == 500


# --- shipped once, the department's from the first change on ----------------------------------------------------------------------


def stored(resource: Resource, version: int = 1) -> dict[str, Stored]:
    return {reference_to(resource): Stored({**resource, "meta": {"versionId": str(version)}}, version, AT)}


def test_what_is_absent_is_stored_and_what_is_as_shipped_is_left() -> None:
    assert [save.resource for save in to_store([CHEST], {}, frozenset())] == [CHEST]
    assert list(to_store([CHEST], stored(CHEST), frozenset())) == []
    assert list(to_store([CHEST], {}, frozenset({reference_to(CHEST)}))) == []


def test_a_newer_release_renews_what_nobody_changed() -> None:
    older = deepcopy(CHEST) | {"version": "1"}
    older = {**older, "extension": [e for e in older["extension"] if not e["url"].endswith("/shipped")]}
    older["extension"].append({"url": SHIPPED, "valueString": print_of(older)})
    [save] = to_store([CHEST], stored(older, 3), frozenset())
    assert (save.resource, save.replaces) == (CHEST, 3)


@given(st.sampled_from(["title", "status", "topic", "extension", "useContext", "code"]))
def test_whatever_the_department_changes_is_its_own_in_every_later_release(member: str) -> None:
    changed: dict[str, Any] = deepcopy(CHEST)
    changed[member] = (
        {"title": "改名", "status": "retired"}.get(member) or changed[member][:1] if member != "code" else {"text": "x"}
    )
    if member == "extension":
        changed[member] = [e for e in CHEST["extension"] if e["url"] != PREPARATION]
    assert not is_as_shipped(changed)
    assert list(to_store([CHEST | {"version": "9"}], stored(changed, 2), frozenset())) == []
