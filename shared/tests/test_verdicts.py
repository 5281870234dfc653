"""Verdicts: the worst that was said counts, nothing is said of nothing, and a hash is of what was looked at."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from slipring.clauses.register import Words
from slipring.front.clause_check import laid_together
from slipring.verdicts.declared import Check, filled
from slipring.verdicts.elements import bears
from slipring.verdicts.period import Period, quarter_of, read_period
from slipring.verdicts.verdict import Breach, Outcome, Verdict, digest, together

_SAYS = Words("x", "x")
_CHECK = Check("5.7.1", "x", _SAYS)


def test_one_exception_breaks_a_check_and_an_unconfirmed_figure_only_holds_it_back() -> None:
    breach = Breach("Task/1", _SAYS)
    assert Outcome(_CHECK, 0, ()).verdict is Verdict.NO_DATA
    assert Outcome(_CHECK, 3, ()).verdict is Verdict.MET
    assert Outcome(_CHECK, 3, (), ("clock.routine",)).verdict is Verdict.UNCONFIRMED
    assert Outcome(_CHECK, 3, (breach,), ("clock.routine",)).verdict is Verdict.NOT_MET
    assert Outcome(_CHECK, 0, (breach,)).verdict is Verdict.NOT_MET, "what is missing breaks it without a record"


def test_a_row_stands_as_the_worst_of_its_checks() -> None:
    assert together([]) is Verdict.PROCEDURE
    assert together([Verdict.NO_DATA, Verdict.MET]) is Verdict.MET
    assert together([Verdict.MET, Verdict.UNCONFIRMED]) is Verdict.UNCONFIRMED
    assert together([Verdict.UNCONFIRMED, Verdict.NOT_MET, Verdict.MET]) is Verdict.NOT_MET


def test_the_services_answers_become_one_row_with_the_worst_verdict_and_a_hash_of_both() -> None:
    def answer(verdict: str, sha256: str, population: int) -> dict[str, object]:
        said = (("id", "valueString", "5.7.2"), ("verdict", "valueCode", verdict), ("sha256", "valueString", sha256),
                ("population", "valueInteger", population), ("exceptions", "valueInteger", 0))  # fmt: skip
        part = [{"name": name, kind: value} for name, kind, value in said]
        return {"parameter": [{"name": "at", "valueInstant": "x"}, {"name": "clause", "part": part}]}

    made = laid_together([answer("met", "a", 2), answer("not-met", "b", 3)])
    [head, row] = made["parameter"]
    told = {one["name"]: next(v for n, v in one.items() if n != "name") for one in row["part"]}
    assert head["name"] == "at"
    assert (told["verdict"], told["population"]) == ("not-met", 5)
    swapped = laid_together([answer("not-met", "b", 3), answer("met", "a", 2)])
    assert swapped["parameter"][1]["part"][4] == row["part"][4], "in whatever order they come"


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31)),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-01-05..2026-01-05", date(2026, 1, 5), date(2026, 1, 5)),
    ],
)
def test_a_period_is_read_as_people_write_it(text: str, first: date, last: date) -> None:
    assert read_period(text) == Period(first, last)


@pytest.mark.parametrize(
    "text", ["", "2026-Q5", "2026-13", "2026-02-30..2026-03-01", "2026-02-02..2026-02-01", "2020-01-01..2026-01-01"]
)
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_period(text)


def test_a_period_is_whole_days_of_the_department() -> None:
    start, after = quarter_of(date(2026, 3, 31)).span(ZoneInfo("Asia/Shanghai"))
    assert (start.isoformat(), after.isoformat()) == ("2026-01-01T00:00:00+08:00", "2026-04-01T00:00:00+08:00")
    asked = filled("Task?authored-on={period}&status=x", start, after, after)
    assert (
        asked == "Task?authored-on=ge2025-12-31T16%3A00%3A00.000Z&authored-on=lt2026-03-31T16%3A00%3A00.000Z&status=x"
    )
    assert (
        filled("Task?_lastUpdated={period}", start, after, datetime(2026, 1, 1, tzinfo=UTC)).count("_lastUpdated=") == 2
    )


def test_an_element_is_said_by_one_of_its_alternatives() -> None:
    task = {"output": [{"type": {"coding": [{"code": "effect"}]}, "valueString": "held"}], "owner": {"reference": "x"}}
    assert bears(task, "output[effect]") and bears(task, "requester|owner")
    assert not bears(task, "output[verifier]") and not bears(task, "owner.display")


def test_a_digest_is_of_the_set_of_lines() -> None:
    assert digest(["b", "a", "a"]) == digest(["a", "b"]) != digest(["ab"])
