"""The rule engine: findings, dated limits, tables of states."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from slipring.fhir.findings import as_detected_issue, rule_of
from slipring.rules.finding import Hit, Weight
from slipring.rules.lifecycle import IllegalMove, Transition, load_table, move, towards
from slipring.rules.limits import LimitBook, Limits, UnknownLimit
from slipring.rules.rulebook import check, rule

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)
LIMITS = """
[exam.fever]
unit = "Cel"
[[exam.fever.values]]
from = 2020-01-01
value = 38
source = "an old page"
confidence = "S"
[[exam.fever.values]]
from = 2026-03-02
value = 37
source = "our own"
confidence = "U"
"""
TABLE = (
    Transition("open", "close", "closed", "X:1"),
    Transition("open", "cancel", "cancelled", "X:2"),
)


@rule("test.fever", clause="X:1", weight="stop", domain="J99")
def has_no_fever(facts: float, limits: Limits, now: datetime) -> Hit | None:
    """Nobody is scanned with a fever."""
    limit = limits.limit("exam.fever")
    if facts < limit.value:
        return None
    return Hit("发热。", "Fever.", at="Patient", inputs={"temperature": facts}, limit=limit)


def a_book(tmp_path: Path, *confirmed: str) -> LimitBook:
    file = tmp_path / "limits.toml"
    file.write_text(LIMITS, encoding="utf-8")
    return LimitBook.load(file, confirmed)


def test_a_limit_counts_from_its_first_day(tmp_path: Path) -> None:
    book = a_book(tmp_path)
    assert book.limit("exam.fever", on=date(2026, 3, 1)).value == 38
    assert book.limit("exam.fever", on=date(2026, 3, 2)).value == 37
    with pytest.raises(UnknownLimit):
        book.limit("exam.fever", on=date(2019, 12, 31))
    with pytest.raises(UnknownLimit):
        book.limit("exam.cough", on=date(2026, 3, 1))


def test_a_number_read_in_its_source_stops(tmp_path: Path) -> None:
    [finding] = check(39.0, [has_no_fever], a_book(tmp_path).on(date(2026, 3, 1)), NOW)
    assert (finding.weight, finding.softened) == (Weight.STOP, False)


def test_an_unconfirmed_number_asks_until_somebody_confirms_it(tmp_path: Path) -> None:
    [asks] = check(39.0, [has_no_fever], a_book(tmp_path).on(date(2026, 3, 2)), NOW)
    assert (asks.weight, asks.softened) == (Weight.ASK, True)
    [stops] = check(39.0, [has_no_fever], a_book(tmp_path, "exam.fever").on(date(2026, 3, 2)), NOW)
    assert (stops.weight, stops.softened) == (Weight.STOP, False)
    assert check(36.0, [has_no_fever], a_book(tmp_path).on(date(2026, 3, 2)), NOW) == []


def test_a_detected_issue_carries_rule_version_clause_inputs_and_limit(tmp_path: Path) -> None:
    [finding] = check(39.0, [has_no_fever], a_book(tmp_path).on(date(2026, 3, 2)), NOW)
    issue = as_detected_issue(finding, id="o-1", subject="Patient/o-2", about="ServiceRequest/o-3", now=NOW)
    parts = {part["url"]: part for part in issue["extension"][0]["extension"]}
    limit = {part["url"]: part for part in parts["limit"]["extension"]}
    assert (issue["status"], issue["severity"], rule_of(issue)) == ("final", "moderate", "test.fever")
    assert (parts["version"]["valueString"], parts["clause"]["valueString"]) == ("1", "X:1")
    assert parts["inputs"]["valueString"] == '{"temperature": 39.0}'
    assert (limit["value"]["valueString"], limit["confirmed"]["valueBoolean"]) == ("37", False)
    assert issue["detail"] == "发热。"
    assert issue["_detail"]["extension"][0]["extension"][1]["valueString"] == "Fever."


def test_moves_follow_the_table_and_an_illegal_one_names_the_legal() -> None:
    assert move(TABLE, "open", "close") == "closed"
    assert towards(TABLE, "open", "cancelled").event == "cancel"
    with pytest.raises(IllegalMove) as refused:
        move(TABLE, "closed", "close")
    assert refused.value.legal == ()
    with pytest.raises(IllegalMove) as refused:
        towards(TABLE, "open", "burnt")
    assert [line.event for line in refused.value.legal] == ["close", "cancel"]


def test_a_table_line_may_start_from_several_states(tmp_path: Path) -> None:
    file = tmp_path / "table.toml"
    file.write_text('[[move]]\nfrom = ["a", "b"]\nevent = "go"\nto = "c"\nclause = "X:1"\n', encoding="utf-8")
    assert [(line.state, line.next, line.by) for line in load_table(file)] == [
        ("a", "c", "anyone"),
        ("b", "c", "anyone"),
    ]
