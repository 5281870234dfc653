"""When the next assessment is due, as a law over all days; the forms that are shipped (5.1.6)."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as some
from slipring.rules.months import months_later
from slipring_order.department.checklists import as_questionnaire, checklists
from slipring_order.department.competence import next_assessment
from slipring_order.settings import OrderSettings

LIMITS = OrderSettings().limits.on(date(2026, 3, 2))
DAYS = some.dates(date(2020, 1, 1), date(2030, 12, 31))


@given(DAYS, DAYS | some.none(), some.lists(DAYS, max_size=5))
def test_the_next_assessment_is_after_this_one_and_within_a_year(
    day: date, since: date | None, passes: list[date]
) -> None:
    due = next_assessment(day, since, passes, LIMITS)
    assert day <= due <= months_later(day, 12)
    if since is None or day > months_later(since, 6):
        assert due == months_later(day, 12)


@given(DAYS, some.integers(0, 180), some.integers(0, 180))
def test_whoever_was_assessed_once_in_six_months_may_not_work_in_the_seventh(
    since: date, first: int, second: int
) -> None:
    one = since + timedelta(days=first)
    assert next_assessment(one, since, [], LIMITS) <= months_later(since, 6)
    two = since + timedelta(days=second)
    if one != two:
        assert next_assessment(two, since, [one], LIMITS) == months_later(two, 12)


def test_every_form_is_shipped_with_its_clause_in_both_languages() -> None:
    for listed in checklists().values():
        form = as_questionnaire(listed)
        assert form["purpose"].startswith("CL02-A011:5.") and form["url"] == listed.canonical
        assert all(item["text"] and item["_text"] for item in form["item"])
