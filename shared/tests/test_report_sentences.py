"""Sentences and reports of every shape, and what the checks make of each."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from slipring.qc.report import ReportText, checked

FOLDER = Path(__file__).with_name("report_sentences")


def cases(name: str) -> list[Any]:
    return list(tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))["case"])


@pytest.mark.parametrize(
    ("text", "part", "wanted"),
    [*cases("critical_zh"), *cases("critical_en"), *cases("critical_hard"), *cases("critical_more")],
    ids=lambda value: str(value)[:40],
)
def test_a_sentence_states_its_critical_findings_and_no_others(text: str, part: str, wanted: str) -> None:
    found = checked(ReportText({"findings": text, "impression": "."}, body_part=part)).critical
    assert {f"{one.code}:{one.certainty}" for one in found} == set(wanted.split())


@pytest.mark.parametrize(
    "case",
    [*cases("faults"), *cases("faults_hard")],
    ids=lambda case: f"{case['findings']} | {case['impression']}"[:60],
)
def test_a_report_has_its_faults_and_no_others(case: dict[str, Any]) -> None:
    report = ReportText(
        {name: case.get(name, "") for name in ("findings", "impression", "comparison")},
        sex=case.get("sex", ""),
        removed_organs=tuple(case.get("removed", ())),
        body_part=case["part"],
        laterality=case.get("side", ""),
        priors=case.get("priors", 0),
    )
    assert {f"{one.check} {one.section}" for one in checked(report).faults} == set(case["want"])
