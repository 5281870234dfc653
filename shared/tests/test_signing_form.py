"""The signed form binds the content exactly, and nothing that the service writes afterwards."""

import json
from decimal import Decimal
from typing import Any

import pytest
from slipring.signing.form import signed_form, tokens_sha256


def a_report(**members: Any) -> dict[str, Any]:
    return {
        "resourceType": "DiagnosticReport",
        "id": "r-1",
        "meta": {"versionId": "3"},
        "status": "partial",
        "code": {"text": "CT"},
        "conclusion": "无异常。No \u2028 abnormality.",
        "result": [{"reference": "Observation/r-2"}],
    } | members


def a_composition(**members: Any) -> dict[str, Any]:
    return {
        "resourceType": "Composition",
        "id": "r-3",
        "status": "preliminary",
        "title": "CT report",
        "section": [{"text": {"status": "additional", "div": "<div>lung clear</div>"}}],
    } | members


def an_observation(value: str = "72.50", **members: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "r-2",
        "status": "final",
        "valueQuantity": {"value": Decimal(value), "unit": "mm"},
    } | members


def hash_of(**changed: dict[str, Any]) -> str:
    return signed_form(
        changed.get("report", a_report()),
        changed.get("composition", a_composition()),
        [changed.get("observation", an_observation())],
    ).sha256


@pytest.mark.parametrize(
    "changed",
    [
        {"report": a_report(status="final")},
        {"report": a_report(issued="2026-01-01T00:00:00Z")},
        {"report": a_report(presentedForm=[{"data": "eA=="}])},
        {"report": a_report(meta={"versionId": "9", "tag": [{"code": "x"}]}, text={"div": "x"})},
        {"composition": a_composition(status="final", attester=[{"mode": "legal"}])},
        {"observation": an_observation(meta={"versionId": "2"})},
    ],
    ids=["status", "issued", "presentedForm", "meta-and-text", "composition-state", "observation-meta"],
)
def test_what_the_service_writes_later_changes_no_form(changed: dict[str, Any]) -> None:
    assert hash_of(**changed) == hash_of()


@pytest.mark.parametrize(
    "changed",
    [
        {"report": a_report(conclusion="Abnormal.")},
        {"report": a_report(subject={"reference": "Patient/o-2"})},
        {"report": a_report(id="r-9")},
        {"composition": a_composition(section=[])},
        {"observation": an_observation("72.5")},
        {"observation": an_observation("72.51")},
        {"observation": an_observation(status="preliminary")},
    ],
    ids=["conclusion", "subject", "identity", "section", "digits", "value", "observation-status"],
)
def test_every_change_of_content_changes_the_form(changed: dict[str, Any]) -> None:
    assert hash_of(**changed) != hash_of()


def test_the_payload_is_canonical_and_lists_composition_report_results_in_this_order() -> None:
    form = signed_form(a_report(), a_composition(), [an_observation()])
    read = json.loads(form.payload)
    assert [entry["resource"]["resourceType"] for entry in read["entry"]] == [
        "Composition",
        "DiagnosticReport",
        "Observation",
    ]
    assert [part["reference"] for part in read["subjectOf"]] == list(form.references)
    assert read["subjectOf"][2]["sha256"] == tokens_sha256(an_observation())
    assert b'"value":72.5}' in form.payload
    assert all("id" not in entry["resource"] for entry in read["entry"])


def test_numbers_no_double_can_hold_are_bound_all_the_same() -> None:
    huge, larger = (
        a_report(extension=[{"valueDecimal": Decimal("1E+400")}]),
        a_report(extension=[{"valueDecimal": 2**60}]),
    )
    assert len({signed_form(huge).sha256, signed_form(larger).sha256, signed_form(a_report()).sha256}) == 3


def test_the_same_content_always_gives_the_same_bytes() -> None:
    assert signed_form(a_report(), a_composition()).payload == signed_form(a_report(), a_composition()).payload
