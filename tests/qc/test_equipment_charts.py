"""Charts, Westgard's rules, EWMA and comparison against worked examples that others published (`equipment_cases.toml`)."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.qc.equipment.baseline import Baseline, in_force
from slipring.qc.equipment.chart import Point, chart_of
from slipring.qc.equipment.charts import number, rule_names
from slipring.qc.equipment.comparing import Outcome, Sample, difference, sample_of
from slipring.qc.equipment.ewma import ewma
from slipring.qc.equipment.schedule import due_on, stricter
from slipring.qc.equipment.shewhart import Centre, centre_of
from slipring.qc.equipment.tracing import Judged, doubts
from slipring.qc.equipment.westgard import flags
from slipring.rules.finding import Limit

CASES = tomllib.loads(Path(__file__).with_name("equipment_cases.toml").read_text("utf-8"))
NOON = datetime(2026, 1, 1, 4, tzinfo=UTC)
ON = date(2026, 3, 1)


def test_the_chart_of_individuals_is_that_of_the_handbook() -> None:
    case = CASES["shewhart"]
    centre = centre_of(case["values"])
    low, high = centre.bounds(3)
    assert centre.mean == pytest.approx(case["mean"], abs=5e-5)
    assert (low, high) == (pytest.approx(case["low"], abs=5e-4), pytest.approx(case["high"], abs=5e-4))


def test_the_moving_average_is_that_of_the_handbook_at_each_value() -> None:
    case = CASES["ewma"]
    found = ewma(case["values"], Centre(case["mean"], case["sd"], 20), weight=case["weight"], sigmas=case["sigmas"])
    assert [round(one.value, 2) for one in found] == case["smoothed"]
    assert found[-1].high == pytest.approx(case["high"], abs=5e-4)
    assert found[-1].low == pytest.approx(case["low"], abs=5e-4)
    assert found[0].high - case["mean"] == pytest.approx(3 * case["weight"] * case["sd"]), "narrower at first"
    assert not any(one.out for one in found)
    assert ewma([60.0], Centre(50.0, 1.0, 9), weight=0.3, sigmas=3)[0].out


@pytest.mark.parametrize("case", CASES["westgard"], ids=lambda case: str(case["name"]))
def test_westgards_rules_fire_where_the_source_says(case: dict[str, Any]) -> None:
    scores = case.get("scores") or [(one["value"] - one["mean"]) / one["sd"] for one in case["round"]]
    assert [flag.code for flag in flags(scores)[-1]] == case["fires"]


@given(st.lists(st.floats(-1.9, 1.9), min_size=1, max_size=3))
def test_what_stays_within_two_deviations_breaks_no_rule_before_four_values(scores: list[float]) -> None:
    assert not any(flags(scores))


@given(st.lists(st.floats(-6, 6), min_size=1, max_size=14))
def test_the_rules_do_not_care_which_way_is_up(scores: list[float]) -> None:
    assert flags(scores) == flags([-one for one in scores])


def test_the_difference_of_two_means_is_that_of_the_handbook() -> None:
    case = CASES["welch"]
    first, second = (Sample(one["mean"], one["sd"] ** 2, one["count"]) for one in (case["first"], case["second"]))
    found = difference(first, second, level=0.95)
    error = (first.variance / first.count + second.variance / second.count) ** 0.5
    assert found.value / error == pytest.approx(case["t"], abs=5e-5)
    assert found.freedom == pytest.approx(case["freedom"], abs=5e-4)
    assert (found.high - found.low) / 2 / error == pytest.approx(case["critical"], abs=5e-4)


@pytest.mark.clause("5.6.4")
def test_scanners_are_comparable_only_when_the_whole_interval_lies_within_the_limit() -> None:
    here, there = sample_of([0.1, 0.3, 0.2, 0.4]), sample_of([1.0, 1.3, 1.1, 1.2])
    found = difference(here, there, level=0.95)
    assert found.value == pytest.approx(-0.9)
    assert found.low < -0.9 < found.high < 0
    assert [found.outcome(limit) for limit in (-found.low, 0.9, -found.high - 0.01)] == [
        Outcome.COMPARABLE, Outcome.OPEN, Outcome.DIFFERENT,
    ]  # fmt: skip
    assert difference(here, here, level=0.95).outcome(4) is Outcome.COMPARABLE
    assert difference(sample_of([1, 1]), sample_of([3, 3]), level=0.95).outcome(1.9) is Outcome.DIFFERENT
    with pytest.raises(ValueError, match="two values"):
        sample_of([1.0])


def a_series(values: list[float], begins: int = -1) -> list[Point]:
    return [
        Point(NOON + timedelta(days=30 * n), one, f"Observation/{n}", n in (0, begins)) for n, one in enumerate(values)
    ]


def test_a_new_baseline_begins_a_phase_with_a_centre_of_its_own() -> None:
    steady = [0.0, 0.2, -0.1, 0.1, 0.0, -0.2]
    chart = chart_of(a_series([*steady, 1.4, *(2 + one for one in steady)], begins=7), ON)
    first, second = chart.phases
    assert first.centre is not None and second.centre is not None
    assert second.centre.mean == pytest.approx(2.0)
    assert [flag.code for flag in chart.points[6].flags] == ["1-3s", "1-2s"], "though it is part of its own baseline"
    assert not any(one.flags for one in chart.points if one.phase == 1)


def test_a_shift_after_the_baseline_is_seen_by_the_average_and_by_the_rules() -> None:
    before = [0.0, 0.4, -0.2, 0.3, -0.4, 0.1] * 4
    chart = chart_of(a_series([*before, *(one + 0.9 for one in before)]), ON)
    told = {flag.code for one in chart.points[24:] for flag in one.flags}
    assert {"4-1s", "10x"} <= told
    assert chart.phases[0].centre is not None and chart.phases[0].centre.count == number("chart.most", ON)
    assert any(one.smoothed is not None and one.smoothed.out for one in chart.points[24:])
    assert not any(one.smoothed is not None and one.smoothed.out for one in chart.points[:24])


def test_too_few_values_have_no_centre_and_the_order_of_entry_makes_no_difference() -> None:
    few = chart_of(a_series([0.1, 0.2, 0.3]), ON)
    assert few.phases[0].centre is None and not any(one.flags or one.smoothed for one in few.points)
    series = a_series([0.1, 0.5, -0.3, 0.2, 0.0, 0.4, 3.0])
    assert chart_of(series[::-1], ON) == chart_of(series, ON)
    assert chart_of([], ON).phases == ()
    still = chart_of(a_series([1.0] * 8 + [1.1]), ON).points[-1]
    assert "1-3s" in {flag.code for flag in still.flags}, "where nothing ever strayed, anything does"


def test_every_rule_has_both_names() -> None:
    assert set(rule_names()) == {"1-2s", "1-3s", "2-2s", "R-4s", "4-1s", "10x"}
    assert all(said["zh"] and said["en"] for said in rule_names().values())


@pytest.mark.clause("5.6.2.3")
def test_the_stricter_interval_is_applied_and_both_are_kept() -> None:
    def every(months: int, who: str) -> Limit:
        return Limit(who, months, who, "S", date(2026, 1, 1))

    standard, ours = every(1, "standard"), every(6, "A011")
    found = stricter([ours, standard])
    assert found is not None and (found.months, found.applied.id) == (1, "standard")
    assert [one.id for one in found.asked] == ["A011", "standard"]
    same = stricter([every(1, "A011"), standard])
    assert same is not None and same.applied.id == "A011"
    assert stricter([None, None]) is None
    assert due_on(date(2026, 8, 31), 6, 14) == date(2027, 3, 14)


def test_a_baseline_counts_from_its_day_until_the_next_one() -> None:
    old = Baseline("water", Decimal("0.5"), NOON, "acceptance", "Observation/1", "Practitioner/a")
    new = Baseline("water", Decimal("1.5"), NOON + timedelta(days=365), "status", "Observation/2", "Practitioner/b")
    other = Baseline("noise", Decimal("0.3"), NOON, "acceptance")
    known = [new, other, old]
    assert in_force(known, "water", NOON - timedelta(seconds=1)) is None
    assert in_force(known, "water", NOON + timedelta(days=364)) == old
    assert in_force(known, "water", NOON + timedelta(days=365)) == new


@pytest.mark.clause("4.9", "5.6.2.3")
def test_exams_are_in_doubt_from_the_last_good_test_to_the_next_good_one() -> None:
    def day(number: int) -> datetime:
        return NOON + timedelta(days=number)

    results = [(0, True), (30, True), (45, None), (60, False), (61, False), (62, True), (90, False)]
    first, last = doubts([Judged(day(n), passes, f"o-{n}") for n, passes in results])
    assert (first.since, first.failed, first.until) == (day(30), "o-60", day(62))
    assert [first.holds(day(n)) for n in (29, 30, 31, 61, 62)] == [False, False, True, True, False]
    assert (last.since, last.until) == (day(62), None)
    assert last.holds(day(5000))
    [never] = doubts([Judged(day(1), False)])
    assert never.since is None and never.holds(day(-5000))
    assert doubts([Judged(day(1), None)]) == []
