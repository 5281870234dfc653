"""What the pages of indicators say of a figure beside its target."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from jinja2 import Environment, PackageLoader, PrefixLoader
from slipring.measuring.spelling import TARGET_OF, target_extension
from slipring.qc.indicators.definition import Definition, Target, definitions
from slipring.review.indicated import Indicated, indicated
from slipring.review.own_targets import own_targets, proposal


def said(confidence: str, score: float, members: int = 200) -> str:
    """The mark and words beside a share of which at least nine in ten are wanted."""
    target = Target(0.9, "least", "a meeting", confidence)
    definition = replace(definitions("order")["error-rate"], target=target, least=50)
    counts = {"denominator": members, "denominator-exclusion": 0, "numerator": round(members * score)}
    population = [{"code": {"coding": [{"code": code}]}, "count": count} for code, count in counts.items()]
    group = {"population": population, "measureScore": {"value": score}}
    one = Indicated(definition, group, date(2026, 1, 1), date(2026, 1, 31), "o-error-rate-1")
    rooms = PrefixLoader({room: PackageLoader(f"slipring.{room}") for room in ("pages", "review")})
    environment = Environment(loader=rooms, autoescape=True, extensions=["jinja2.ext.i18n"])
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    return str(
        environment.from_string('{% from "review/indicator_parts.html" import aimed %}{{ aimed(one) }}').render(one=one)
    )


@pytest.mark.clause("4.14.7")
@pytest.mark.parametrize("confidence", ["R", "U"])
def test_a_missed_target_that_nobody_confirmed_is_amber_with_words_and_never_red(confidence: str) -> None:
    told = said(confidence, 0.5)
    assert '<span class="mark warn">▲ would not meet the target, which is unconfirmed</span>' in told
    assert "mark bad" not in told and "target not met" not in told
    assert "unconfirmed default, please confirm" in told


@pytest.mark.clause("4.14.7")
@pytest.mark.parametrize("confidence", ["R", "U"])
def test_a_target_that_nobody_confirmed_is_met_without_green(confidence: str) -> None:
    told = said(confidence, 0.95)
    assert '<span class="mark">○ meets the target, which is unconfirmed</span>' in told
    assert "mark good" not in told and "target met" not in told
    assert "unconfirmed default, please confirm" in told


@pytest.mark.clause("4.14.7")
def test_a_missed_target_that_is_confirmed_is_red_and_of_too_few_nothing_is_said() -> None:
    assert '<span class="mark bad">▲ target not met</span>' in said("A", 0.5)
    met = said("A", 0.95)
    assert '<span class="mark good">● target met</span>' in met
    assert "unconfirmed definition, please confirm" in met and "unconfirmed default" not in met
    for confidence in ("A", "U"):
        few = said(confidence, 0.5, members=10)
        assert "fewer than 50, not judged" in few
        assert "mark bad" not in few and "would not meet" not in few


@pytest.mark.clause("4.14.7")
def test_only_a_target_that_no_version_shipped_is_the_departments_own() -> None:
    shipped = next(one for one in definitions().values() if one.target)
    assert shipped.target
    own = replace(shipped.target, source="a meeting", confidence="A")
    assert told_of(shipped, shipped.target) == (shipped.target, False)
    assert told_of(shipped, own) == (own, True)
    assert told_of(shipped, None) == (None, False), "a report may be older than the first target"


@pytest.mark.clause("4.14.7")
def test_the_history_says_of_each_own_target_whether_it_was_is_or_never_will_be_in_force() -> None:
    now = datetime(2026, 6, 1, 8, tzinfo=UTC)
    rate = definitions()["error-rate"]

    def kept(name: str, status: str, start: int | None, end: int | None = None) -> dict[str, Any]:
        days = {"start": start, "end": end}
        period = {at: (now + timedelta(days=day)).isoformat() for at, day in days.items() if day is not None}
        return {
            "resourceType": "Measure", "id": name, "status": status, "date": "2026-01-02", "effectivePeriod": period,
            "extension": [target_extension(Target(0.01, "most", "a meeting", "A"))],
            "identifier": [{"system": TARGET_OF, "value": rate.id}],
        }  # fmt: skip

    measures = [
        kept("first", "retired", -90, -60), kept("now", "retired", -60, 30), kept("soon", "active", 30),
        kept("put-off", "retired", 40, 40), kept("early", "retired", -70, -70), kept("waits", "draft", None),
    ]  # fmt: skip
    found = own_targets(rate, measures, now, UTC)
    assert [one.id for one in found.drafts] == ["waits"]
    assert [(one.id, one.state) for one in found.history] == [
        ("put-off", "never"), ("soon", "to-come"), ("now", "in-force"), ("early", "never"), ("first", "over"),
    ]  # fmt: skip
    assert found.in_force and found.in_force.id == "now"
    assert own_targets(rate, measures[2:], now, UTC).in_force is None, "nothing is in force before its day"


@pytest.mark.clause("4.14.7")
@pytest.mark.parametrize("typed", ["", "none", "1e2", "0.12345", "٣", "1,5"])
def test_what_is_no_number_is_told_at_its_field_and_asked_of_nobody(typed: str) -> None:
    given, problems = proposal({"value": typed, "at": "least", "reason": " "}, definitions()["error-rate"])
    assert (given, sorted(problems)) == ([], ["reason", "value"])


def told_of(definition: Definition, target: Target | None) -> tuple[Target | None, bool]:
    """The target that the page reads from a report that was held against this one, and whether it calls it the department's."""
    group = {"id": definition.id, "extension": [target_extension(target)] if target else []}
    shown = indicated({"group": [group]}, {definition.service: "x"}, date(2026, 1, 1), date(2026, 1, 31))
    assert shown
    return shown.definition.target, shown.laid_down
