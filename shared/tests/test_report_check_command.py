"""`slipring report check`: JSON lines in, JSON lines out, and bad lines refused by number and member."""

import json
from pathlib import Path

import pytest
from slipring.qc.report.command import report_commands
from typer.testing import CliRunner, Result

GOOD = {
    "id": "a-1",
    "lang": "zh",
    "patient": {"sex": "male", "age": 61, "removed_organs": []},
    "exam": {"body_part": "chest", "laterality": "none", "contrast": False, "priors": 0},
    "sections": {"findings": "左侧气胸，肺压缩约30%。前列腺增大。", "impression": "左侧气胸。", "comparison": ""},
}


def run(*lines: object, file: Path | None = None) -> Result:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    if file is not None:
        file.write_text(text, "utf-8")
    return CliRunner().invoke(report_commands, ["check", str(file or "-")], input=text)


def test_a_line_is_answered_with_its_findings_and_the_places_of_its_faults(tmp_path: Path) -> None:
    answered = run(GOOD, file=tmp_path / "reports.jsonl")
    assert answered.exit_code == 0 and answered.stderr == ""
    answer = json.loads(answered.stdout)
    assert answer["id"] == "a-1" and answer["critical"] == [{"code": "CV-CT-07", "certainty": "definite"}]
    faults = {fault["check"]: fault for fault in answer["checks"]}
    assert set(faults) == {"body-part"}
    place = faults["body-part"]
    assert GOOD["sections"]["findings"][place["start"] : place["end"]] == "前列腺"  # type: ignore[index]


def test_standard_input_is_read_and_members_that_are_missing_are_unknown() -> None:
    answered = run({"id": 7, "sections": {"findings": "No PE.", "impression": "Normal."}}, {"id": "x", "patient": None})
    first, second = map(json.loads, answered.stdout.splitlines())
    assert first == {"id": 7, "critical": [], "checks": []} and answered.exit_code == 0
    assert [fault["check"] for fault in second["checks"]] == ["missing-findings", "missing-impression"]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 2: record: not JSON"),
        ('"text"', "line 2: record: must be a JSON object"),
        ('{"sections": {"findings": 5}}', "line 2: sections.findings: must be a string"),
        ('{"sections": []}', "line 2: sections: must be an object"),
        ('{"patient": {"age": "old"}}', "line 2: patient.age: must be a number"),
        (
            '{"patient": {"removed_organs": [1]}}',
            "line 2: patient.removed_organs: must be a string or a list of strings",
        ),
        ('{"exam": {"body_part": 7}}', "line 2: exam.body_part: must be a string or a list of strings"),
        ('{"exam": {"priors": -1}}', "line 2: exam.priors: must be 0 or more"),
        ('{"exam": {"contrast": 3}}', "line 2: exam.contrast: must be true or false"),
        ('{"id": {}}', "line 2: id: must be a string or a number"),
        ("[" * 100_000, "line 2: record: not JSON"),
        ('{"id": ' + "9" * 5_000 + "}", "line 2: record: not JSON (a number of too many digits)"),
        ('{"id": NaN}', "line 2: id: must be a string or a number"),
        ('{"id": true}', "line 2: id: must be a string or a number"),
        ('{"patient": {"age": NaN}}', "line 2: patient.age: must be a number"),
        ('{"patient": {"age": -3}}', "line 2: patient.age: must be 0 or more"),
        ('{"patient": {"age": ' + "9" * 400 + "}}", "line 2: patient.age: must be a number"),
        ('{"exam": {"priors": 1e400}}', "line 2: exam.priors: must be a number"),
        ('{"lang": "fr"}', "line 2: lang: must be zh or en"),
    ],
)
def test_a_bad_line_is_refused_by_number_and_member_and_the_others_are_answered(line: str, told: str) -> None:
    answered = run(GOOD, line, "", GOOD)
    assert answered.exit_code == 1 and told in answered.stderr
    assert [json.loads(each)["id"] for each in answered.stdout.splitlines()] == ["a-1", "a-1"]


@pytest.mark.parametrize("lang", ["", None, "zh-Hans-CN", "EN_gb", "中文", "zh/en", "mul"])
def test_languages_are_read_as_tags_and_people_write_them(lang: str | None) -> None:
    answered = run(GOOD | {"lang": lang})
    assert answered.exit_code == 0 and "CV-CT-07" in answered.stdout


@pytest.mark.parametrize(
    ("exam", "sections", "told"),
    [
        ({"body_part": "HEAD"}, {"findings": "脑实质正常。肝囊肿。"}, "body-part"),
        ({"body_part": "头颅CT平扫"}, {"findings": "脑实质正常。肝囊肿。"}, "body-part"),
        ({"body_part": ["Head", "Abdomen"]}, {"findings": "脑实质正常。肝囊肿。"}, ""),
        ({"body_part": "head, tail"}, {"findings": "脑实质正常。肝囊肿。"}, ""),
        ({"body_part": "右膝关节", "laterality": "R"}, {"findings": "左膝积液。"}, "laterality"),
        ({"body_part": "KNEE", "laterality": "左"}, {"findings": "左膝积液。"}, ""),
        ({"priors": [{"date": "2025-01-01"}]}, {"findings": "肝囊肿。"}, "missing-comparison"),
        ({"priors": True, "contrast": "iv"}, {"findings": "肝囊肿。"}, "missing-comparison"),
        ({"removed": "胆囊、脾"}, {"findings": "胆囊未见结石。"}, "removed-organ"),
    ],
)
def test_parts_sides_and_counts_are_read_as_people_write_them(
    exam: dict[str, object], sections: dict[str, str], told: str
) -> None:
    patient = {"sex": "M", "age": "061Y", "removed_organs": exam.pop("removed", None)}
    answered = run(
        {"patient": patient, "exam": exam, "sections": {"impression": "见描述。", "comparison": None} | sections}
    )
    assert answered.exit_code == 0, answered.stderr
    assert [fault["check"] for fault in json.loads(answered.stdout)["checks"]] == ([told] if told else [])


def test_bytes_that_are_no_text_are_refused_and_a_mark_of_byte_order_is_not_minded() -> None:
    good = json.dumps(GOOD).encode()
    answered = CliRunner().invoke(
        report_commands, ["check", "-"], input=b"\xef\xbb\xbf" + good + b"\n\xff\xfe\n" + good
    )
    assert answered.exit_code == 1 and "line 2: record: not UTF-8" in answered.stderr
    assert len(answered.stdout.splitlines()) == 2


def test_a_file_that_is_not_there_is_said_and_nothing_is_printed(tmp_path: Path) -> None:
    answered = CliRunner().invoke(report_commands, ["check", str(tmp_path / "absent.jsonl")])
    assert answered.exit_code == 2 and "cannot be read" in answered.stderr and answered.stdout == ""


def test_a_long_file_says_how_far_it_is() -> None:
    answered = run(*[{"id": number, "sections": {"findings": "a", "impression": "b"}} for number in range(1001)])
    assert "1000 lines read" in answered.stderr and len(answered.stdout.splitlines()) == 1001
