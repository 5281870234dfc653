"""The clause register answers by label."""

from __future__ import annotations

import pytest
from slipring.clauses.register import UnreadableRegister, is_known, named_by, register, register_of


@pytest.mark.parametrize(
    ("label", "rows"),
    [
        ("5.4.1", ["5.3.2.5, 5.4.1", "5.4.1"]),
        ("CL02-A011:5.4.3", ["5.4.3 e +"]),
        ("CL02-A011:5.4.3 e", ["5.4.3 e +"]),
        ("5.4.3 e +", ["5.4.3 e +"]),
        ("4.13", ["4.13 d", "4.13 +"]),
        ("4.1.1.4", ["4.1.1.4"]),
        ("4.11", ["4.9-4.12"]),
        ("CL02:4.10", ["4.9-4.12"]),
        ("CL02:5.4.3 b", []),
        ("B", ["B"]),
        ("MOH46:26(3)", []),
        ("5.4.31", []),
        ("5.4", []),
    ],
)
def test_a_label_means_its_rows(label: str, rows: list[str]) -> None:
    assert [clause.id for clause in named_by(label)] == rows


def test_a_service_means_the_row_it_answers_for() -> None:
    assert [clause.id for clause in named_by("5.4.1", "order")] == ["5.4.1"]
    assert [clause.id for clause in named_by("5.4.1", "consent")] == ["5.3.2.5, 5.4.1"]
    assert [clause.id for clause in named_by("5.9.1", "critical")] == ["5.5.3 q, 5.9.1 b"]
    assert [clause.id for clause in named_by("5.9.1", "report")] == ["5.9.1"]
    assert [clause.id for clause in named_by("5.6.1", "order")] == ["5.6.1"]


def test_a_rule_of_another_document_is_known_by_its_own_label() -> None:
    assert is_known("MOH46:26(3)") and not is_known("MOH46:26(9)") and not is_known("5.99")


def test_every_row_speaks_both_languages() -> None:
    for clause in register().clauses:
        assert clause.asks.zh and clause.asks.en and clause.answer.zh and clause.answer.en, clause.id


def test_a_row_of_an_unknown_kind_or_listed_twice_is_not_read() -> None:
    row = {
        "id": "9", "numbers": ["9"], "iso2022": [], "kinds": ["gate"], "services": ["order"], "zh": "甲", "en": "a",
        "answer": {"zh": "乙", "en": "b"}, "evidence": [],
    }  # fmt: skip
    book = {"edition": "e", "valid_from": "2018-09-01", "source": "s"}
    with pytest.raises(UnreadableRegister, match="clause 9: wish"):
        register_of({**book, "clause": [{**row, "kinds": ["wish"]}]})
    with pytest.raises(UnreadableRegister, match="twice: 9"):
        register_of({**book, "clause": [row, row]})
