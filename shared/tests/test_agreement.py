"""Agreement of two readers: kappa and its interval against published examples, and a sample that can be drawn again (5.6.2.3)."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from slipring.qc.report.agreement import Weighting, agreement, cohens_kappa, cross_table
from slipring.qc.report.sampling import drawn

CASES: list[dict[str, Any]] = tomllib.loads(Path(__file__).with_name("agreement_cases.toml").read_text("utf-8"))["case"]
WEIGHTINGS: tuple[Weighting, ...] = get_args(Weighting)
TABLES = st.integers(2, 5).flatmap(
    lambda k: st.lists(st.lists(st.integers(0, 40), min_size=k, max_size=k), min_size=k, max_size=k)
)
A_DAY = date(2026, 4, 1)


@pytest.mark.clause("5.6.2.3 reports")
@pytest.mark.clause("5.6.4")
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_kappa_and_its_interval_are_the_published_ones(case: dict[str, Any]) -> None:
    for weighting in WEIGHTINGS:
        found = agreement(case["table"], weighting)
        assert found.agreed == case["agreed"] and found.kappa is not None
        ours = {
            "kappa": found.kappa.value,
            "error": found.kappa.error,
            "low": found.kappa.low,
            "high": found.kappa.high,
        }
        for name, printed in case.get(weighting, {}).items():
            places = len(printed.partition(".")[2])
            assert f"{ours[name]:.{places}f}" == printed, (weighting, name)


@given(TABLES)
def test_kappa_lies_within_its_bounds_and_does_not_change_when_the_readers_are_swapped(table: list[list[int]]) -> None:
    for weighting in WEIGHTINGS:
        found = cohens_kappa(table, weighting)
        swapped = cohens_kappa([list(column) for column in zip(*table, strict=True)], weighting)
        if found is None or swapped is None:
            assert found is swapped is None
            continue
        assert -1 <= found.low <= found.value + 1e-9 and found.value - 1e-9 <= found.high <= 1
        assert swapped.value == pytest.approx(found.value) and swapped.error == pytest.approx(found.error, abs=1e-9)


def test_full_agreement_is_one_and_what_chance_alone_explains_has_no_kappa() -> None:
    full = cohens_kappa([[5, 0], [0, 7]])
    assert full is not None and full.value == pytest.approx(1.0)
    assert cohens_kappa([[9, 0], [0, 0]]) is None and cohens_kappa([[0, 0], [0, 0]]) is None
    assert agreement([[0]]).percent is None


def test_a_table_that_is_not_square_and_a_grade_that_is_unknown_are_refused() -> None:
    with pytest.raises(ValueError, match="square"):
        agreement([[1, 2], [3]])
    with pytest.raises(ValueError, match="major"):
        cross_table([("agree", "major")], ["agree", "minor"])


@pytest.mark.clause("5.6.2.3 reports")
def test_the_same_seed_list_and_day_draw_the_same_cases_in_whatever_order_they_are_listed() -> None:
    strata = {"B1": [f"r-{n}" for n in range(40)], "B2": [f"r-{n}" for n in range(40, 60)]}
    once = drawn(strata, 9, "42", A_DAY)
    assert once == drawn({name: reversed(each) for name, each in reversed(strata.items())}, 9, "42", A_DAY)
    assert once.population == 60 and {name: len(each) for name, each in once.chosen.items()} == {"B1": 6, "B2": 3}
    assert once.chosen != drawn(strata, 9, "43", A_DAY).chosen
    assert once.chosen != drawn(strata, 9, "42", date(2026, 4, 2)).chosen
    assert once.list_sha256 != drawn({**strata, "B3": ["r-99"]}, 9, "42", A_DAY).list_sha256
    # By hand: SHA-256 (sha256sum) of "42|2026-04-01|B2|r-40" to r-59, sorted; the first three.
    assert once.chosen["B2"] == ("r-42", "r-49", "r-44")


@example({"a": {"0"}, "b": {"0"}, "c": {"0", "1", "2", "3"}}, 3)
@given(st.dictionaries(st.sampled_from("abcdef"), st.sets(st.integers(0, 99).map(str)), max_size=6), st.integers(0, 80))
def test_a_draw_takes_as_many_as_asked_of_what_there_is_and_leaves_no_stratum_out(
    strata: dict[str, set[str]], size: int
) -> None:
    found = drawn(strata, size, "s", A_DAY)
    full = {name: each for name, each in strata.items() if each}
    assert sum(map(len, found.chosen.values())) == min(size, sum(map(len, full.values())))
    assert all(set(chosen) <= full[name] and len(set(chosen)) == len(chosen) for name, chosen in found.chosen.items())
    if size >= len(full):
        assert all(found.chosen[name] for name in full)
