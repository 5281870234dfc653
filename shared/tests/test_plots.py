"""Where a picture puts its figures: to scale, no data apart from nought, what is beyond a limit told by more than colour."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, PackageLoader
from slipring.pages.plots.bars import Band, bars_of
from slipring.pages.plots.control import HEIGHT as FIELD
from slipring.pages.plots.control import TOP as CEILING
from slipring.pages.plots.control import Reading, Span, control_of
from slipring.pages.plots.lanes import FIGURES, NAMES, WIDTH, lanes_of
from slipring.pages.plots.trend import HEIGHT, LEFT, NARROW, SPAN, TOP, Figure, trend_of

RATES = st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)).map(sorted).map(lambda s: (s[1], s[0], s[2]))


@given(st.lists(RATES, min_size=1, max_size=8))
def test_every_rate_lies_inside_its_interval_and_inside_the_picture(rates: list[tuple[float, float, float]]) -> None:
    picture = lanes_of(list(enumerate(rates)))
    for mark in picture.marks:
        assert NAMES <= mark.low <= mark.at <= mark.high <= WIDTH - FIGURES + 0.1
    assert picture.ticks[0] == (NAMES, 0) and picture.ticks[-1][1] >= max(high for _, _, high in rates) - 1e-9
    assert [mark.of for mark in picture.marks] == list(range(len(rates)))


def test_rare_rates_use_the_whole_width() -> None:
    [mark] = lanes_of([("a", (0.001, 0.0, 0.004))]).marks
    assert mark.high > NAMES + (WIDTH - NAMES - FIGURES) / 2


@given(st.lists(st.one_of(st.none(), RATES), min_size=1, max_size=12))
def test_a_span_without_a_case_is_a_gap_and_not_nought(rates: list[tuple[float, float, float] | None]) -> None:
    picture = trend_of([Figure(str(at), one) for at, one in enumerate(rates)], target=0.9)
    assert len(picture.dots) == len(rates) and len(picture.seen) == sum(one is not None for one in rates)
    for dot in picture.dots:
        assert LEFT < dot.x < picture.width
        if dot.figure.bounds:
            assert TOP <= dot.high <= dot.y <= dot.low <= TOP + HEIGHT
        else:
            assert dot.y < TOP + HEIGHT, "it does not stand on the line of nought"
    for one, other in picture.joined:
        assert other.x - one.x in (SPAN, NARROW), "nothing is joined over a gap"
    assert picture.target is not None and picture.target == pytest.approx(TOP + HEIGHT * 0.1, abs=0.1)


def test_a_figure_below_nought_makes_room_below() -> None:
    picture = trend_of([Figure("2026-Q3", (-0.2, -0.5, 0.1)), Figure("2026-Q4", (0.0, 0.0, 0.0))])
    assert picture.ticks[0] == (TOP + HEIGHT, -1.0) and picture.dots[1].y == TOP + HEIGHT / 2


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=9), st.integers(0, 9))
def test_bars_stand_on_the_foot_and_are_as_high_as_their_counts(counts: list[int], allowed: int) -> None:
    picture = bars_of([Band(str(at), count, beyond=at >= allowed) for at, count in enumerate(counts)])
    most = max(counts)
    for bar, count in zip(picture.bars, counts, strict=True):
        assert bar.y + bar.height == pytest.approx(picture.foot)
        assert bar.height == pytest.approx(180 * count / most if most else 0, abs=0.1)
    assert picture.count == sum(counts)
    for one, other in pairwise(picture.bars):
        assert one.x + picture.bar < other.x
    if allowed < len(counts):
        assert picture.limit is not None and picture.limit < picture.bars[allowed].x
    else:
        assert picture.limit is None


def test_what_is_drawn_tells_each_point_in_words_and_says_no_data() -> None:
    plots = Environment(loader=PackageLoader("slipring.pages"), autoescape=True).get_template("plots.html").module
    figures = [Figure("2026-Q3", (0.75, 0.3, 0.95), "3/4", "#c"), Figure("2026-Q4")]
    drawn = plots.trend(trend_of(figures), "t", "Concordance <B1>", "no data")  # type: ignore[attr-defined]
    assert "<title>2026-Q3: 3/4 · 75.0 % (30.0 % – 95.0 %)</title>" in drawn and 'href="#c"' in drawn
    assert ">no data</text>" in drawn and "Concordance &lt;B1&gt;" in drawn and drawn.count("<circle") == 1
    bars = plots.bars(bars_of([Band("≤ 50 %", 2), Band("> 100 %", 1, beyond=True)]), "b", "Minutes", "allowed")  # type: ignore[attr-defined]
    assert "<title>&gt; 100 %: 1</title>" in bars and bars.count("url(#b-beyond)") == 1 and "hatch" in bars


VALUES = st.lists(st.floats(-1000, 1000, allow_subnormal=False), min_size=1, max_size=30)


@given(VALUES, st.floats(0.1, 50))
def test_every_value_and_every_limit_of_a_control_chart_lies_in_the_field(values: list[float], reach: float) -> None:
    spans = [Span(0, 0.0, -reach, reach)]
    picture = control_of([Reading(one, one) for one in values], spans, low=-2 * reach, high=2 * reach)
    drawn = [mark.y for mark in picture.marks] + [picture.low, picture.high, picture.fields[0].mean]
    assert all(y is not None and CEILING <= y <= CEILING + FIELD for y in drawn)
    assert [mark.of for mark in picture.marks] == values
    heights = [mark.y for mark in sorted(picture.marks, key=lambda mark: mark.of)]
    assert heights == sorted(heights, reverse=True), "the higher a value, the higher its place"
    assert len({words for _, words in picture.ticks}) == len(picture.ticks) <= 9


def test_a_new_baseline_breaks_the_line_and_begins_a_field() -> None:
    readings = [Reading(float(one), one, float(one), begins=one in (0, 3)) for one in range(5)]
    picture = control_of(readings, [Span(0, 1.0, 0.0, 2.0), Span(3)])
    assert [(one.of, other.of) for one, other in picture.joined] == [(0, 1), (1, 2), (3, 4)]
    assert len(picture.averaged) == 3
    first, second = picture.fields
    assert first.x2 == second.x1 and second.mean is None
    assert control_of([], []).marks == []
