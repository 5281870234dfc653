"""Indicators: every definition is whole and frozen, a figure is its populations, and another row is another hash."""

from __future__ import annotations

import hashlib
import json
import random
import re
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
from slipring.clauses.register import is_known
from slipring.qc.indicators.definition import SCORINGS, Definition, Words, definitions, every_version, populations
from slipring.qc.indicators.dose import dose_populations
from slipring.qc.indicators.row import Counted, counted
from slipring.qc.indicators.score import Group, count, hash_of, middle_ranks, place_of

FROZEN = Path(__file__).with_name("frozen_indicators.json")
AT = datetime(2026, 3, 4, 8, tzinfo=UTC)
NINE = {
    "error-rate", "excellent-images", "concordance-pathology", "concordance-clinical", "positive-rate",
    "reports-written-well", "scanner-availability", "complaints-handled", "patients-satisfied", "clinicians-satisfied",
    "exams-in-time",
}  # fmt: skip


@pytest.mark.clause("4.14.7")
def test_the_nine_of_the_standard_and_the_national_ones_are_defined() -> None:
    national = {"artefact-rate", "emergency-reports-in-2-hours", "reports-to-standard", "critical-in-10-minutes"}
    assert definitions().keys() >= NINE | national | {"extravasation-rate", "green-channel-in-30-minutes"}
    assert {one.service for one in every_version()} == {"order", "consent", "report", "critical"}


@pytest.mark.parametrize("one", every_version(), ids=lambda one: f"{one.id}|{one.version}")
def test_a_definition_says_all_that_a_reader_asks(one: Definition) -> None:
    assert is_known(one.clause), one.clause
    assert one.scoring in SCORINGS
    assert one.period in ("month", "quarter")
    known = {*populations()[one.population]["marks"]}
    asked = {mark for each in (*one.denominator, *one.exclusions, *one.numerator) for mark in re.split(r"[|!]+", each)}
    assert asked - {""} <= known, "a mark that no record can say"
    guidance = populations()[one.population].get("guidance")
    assert guidance or one.population in dose_populations(), "by which moment its members belong to a period"
    texts = [one.name, one.counts, one.over, *([Words(**guidance)] if guidance else [])]
    assert all(words.zh and words.en and re.search("[一-鿿]", words.zh) for words in texts)
    assert one.source and one.confidence in ("A", "R", "U")
    if one.target is not None:
        assert one.target.at in ("least", "most") and one.target.source and one.target.confidence in ("A", "R", "U")
    assert not (one.confirmed and "our default" in one.source)


def test_a_version_that_was_shipped_stays_as_it_was() -> None:
    """Whoever changes a definition gives it the next version: its line in the file beside this test is added, none is altered."""
    now = {
        f"{one.id}|{one.version}": hashlib.sha256(
            json.dumps(_said(one), default=str, sort_keys=True, ensure_ascii=False).encode()
        ).hexdigest()[:16]
        for one in every_version()
    }
    assert json.loads(FROZEN.read_text("utf-8")) == now


def _said(one: Definition) -> dict[str, object]:
    """What came to definitions later says nothing of those that leave it out."""
    return {name: value for name, value in asdict(one).items() if name != "least" or value}


def group(marks: str, number: int, *, remarks: str = "", below: int = 0, valued: bool = False) -> Group:
    return Group(marks, remarks, below, valued, number, 7 * number, -3 * number)


def test_a_remark_of_another_record_makes_a_member_of_the_numerator() -> None:
    rate = definitions("order")["error-rate"]
    groups = [
        group("acquired stat", 960),
        group("acquired", 38, remarks="error"),
        group("", 2, remarks="error"),
        group("cancelled", 5),
    ]
    found = count(rate, groups)
    assert found.by_population() == {
        "initial-population": 1005, "denominator": 1000, "denominator-exclusion": 0, "numerator": 40,
    }  # fmt: skip
    assert found.share and round(found.share.low, 4) == 0.0295 and round(found.share.high, 4) == 0.0540


def test_excluded_members_leave_the_figure_and_nothing_counted_is_no_figure() -> None:
    rate = definitions("report")["positive-rate"]
    found = count(rate, [group("classified positive", 6), group("classified negative", 2), group("amended", 92)])
    assert (found.denominator, found.excluded, found.over, found.numerator) == (100, 92, 8, 6)
    assert count(rate, [group("amended", 92)]).share is None


def test_a_value_counts_up_to_its_bound_and_not_without_one() -> None:
    rate = definitions("report")["emergency-reports-in-2-hours"]
    bounds = [30.0, 120.0]
    rows = {
        "numerator": [group("emergency issued", 1, below=2, valued=True), group("emergency issued", 1, below=1, valued=True)],
        "denominator": [group("emergency issued", 1, below=0, valued=True), group("emergency", 1), group("emergency issued", 1, below=2)],
        "initial-population": [group("issued ordinary", 1, below=2, valued=True)],
    }  # fmt: skip
    for place, groups in rows.items():
        assert [place_of(rate, one, bounds) for one in groups] == [place] * len(groups)


def test_the_interval_of_a_median_holds_the_true_one_as_often_as_it_says() -> None:
    drawn, held = random.Random(9), 0  # a simulation
    low, middle, high = middle_ranks(200)
    for _ in range(1000):
        ordered = sorted(drawn.expovariate(1) for _ in range(200))
        held += ordered[int(low * 200)] <= 0.6931 <= ordered[min(199, int(high * 200))]
        assert middle == 0.5 and median(ordered) > 0
    assert 0.92 <= held / 1000 <= 0.98


def rows_of(number: int) -> list[Counted]:
    return [counted("exam", f"Task/o-{n}", AT + timedelta(minutes=n), ["acquired"], value=n / 7) for n in range(number)]


def as_groups(rows: list[Counted]) -> list[Group]:
    return [Group("acquired", "", 0, True, len(rows), sum(r.first for r in rows), sum(r.second for r in rows))]


def test_the_hash_stands_for_the_rows_in_any_order_and_for_nothing_else() -> None:
    rate, rows = definitions("order")["error-rate"], rows_of(50)
    first = hash_of(rate, ["2026-03"], as_groups(rows))
    shuffled = random.Random(4).sample(rows, len(rows))  # an order
    half = [as_groups(shuffled[:20])[0], as_groups(shuffled[20:])[0]]
    assert hash_of(rate, ["2026-03"], half) == first
    other = [*rows[:-1], counted("exam", "Task/o-49", AT + timedelta(minutes=49), ["acquired"], value=7.5)]
    changed = {
        hash_of(rate, ["2026-03"], as_groups(other)),
        hash_of(rate, ["2026-03"], as_groups(rows[:-1])),
        hash_of(rate, ["2026-04"], as_groups(rows)),
        hash_of(replace(rate, version="2"), ["2026-03"], as_groups(rows)),
    }
    assert len(changed | {first}) == 5
