"""The catalogue of critical findings holds both lists it is made of."""

from slipring.clauses.critical_findings import LEVELS, critical_finding, critical_findings, edition


def test_every_entry_names_both_languages_a_who_code_and_one_of_the_three_levels() -> None:
    for entry in critical_findings().values():
        assert (
            entry.zh
            and entry.en
            and entry.icd10
            and entry.level in LEVELS
            and entry.confidence in {"S", "S2", "R", "U"}
        )


def test_the_standards_own_examples_are_in_the_catalogue() -> None:
    """CL02-A011:5.5.3 q: pneumothorax, pneumoperitoneum, cerebral haemorrhage, pulmonary embolism."""
    named = {entry.zh for entry in critical_findings().values() if entry.a011}
    assert {"气胸", "气腹", "脑出血", "肺栓塞", "脑疝", "主动脉夹层", "主动脉瘤", "消化道穿孔"} <= named


def test_findings_only_the_national_list_names_are_kept_too() -> None:
    only_national = [e.code for e in critical_findings().values() if e.national and not e.a011]
    assert only_national == ["CV-CT-12", "CV-CT-13", "CV-CT-14"]


def test_an_unknown_code_is_not_found() -> None:
    assert critical_finding("CV-CT-99") is None
    assert edition()
