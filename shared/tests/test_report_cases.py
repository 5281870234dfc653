"""The examples beside the rules of the report text checks: each text is read as its case says."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from slipring.qc import report
from slipring.qc.report.checking import checked
from slipring.qc.report.facts import ReportText

FILES = sorted((Path(report.__file__).parent / "cases").glob("*.toml"))
CASES = [case for file in FILES for case in tomllib.loads(file.read_text("utf-8"))["case"]]


def text_of(case: dict[str, Any]) -> ReportText:
    said = case.get("said", "")
    return ReportText(
        {"findings": case.get("findings", said), "impression": case.get("impression", said)},
        sex=case.get("sex", ""),
        removed_organs=tuple(case.get("removed_organs", ())),
        body_part=case.get("body_part", ""),
        laterality=case.get("laterality", ""),
        priors=case.get("priors", 0),
    )


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_text_is_read_as_its_case_says(case: dict[str, Any]) -> None:
    answer = checked(text_of(case))
    assert [f"{one.code} {one.certainty}" for one in answer.critical] == case.get("critical", [])
    assert sorted({f"{one.check} {one.section}" for one in answer.faults}) == case.get("faults", [])


def test_each_case_has_a_name_of_its_own() -> None:
    assert len({case["name"] for case in CASES}) == len(CASES)
