"""Working time: the week, the holidays of the State Council's circulars, moved working days, and what is not known."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.rules.calendar import SHIPPED, calendar

ZONE = ZoneInfo("Asia/Shanghai")
NEW_YEAR = datetime(2025, 1, 1, tzinfo=ZONE)
MOMENTS = st.integers(0, 700 * 24 * 60).map(lambda minutes: NEW_YEAR + timedelta(minutes=minutes))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-02-14", True),  # a Saturday before the Spring Festival, moved
        ("2026-02-15", False),
        ("2026-02-23", False),  # a Monday
        ("2026-02-24", True),
        ("2026-02-28", True),  # a Saturday, moved
        ("2026-10-05", False),
        ("2026-10-10", True),
        ("2026-10-11", False),  # a plain Sunday
        ("2025-10-08", False),
        ("2025-09-28", True),
    ],
)
def test_a_day_off_and_a_moved_working_day_are_those_of_the_circular(day: str, works: bool) -> None:
    assert bool(calendar().hours_on(date.fromisoformat(day))) is works


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-03-02T09:00", 240, "2026-03-02T14:30"),  # over the lunch break
        ("2026-03-02T16:00", 240, "2026-03-03T10:30"),
        ("2026-03-06T17:00", 60, "2026-03-09T08:30"),  # a Friday evening
        ("2026-02-13T17:00", 60, "2026-02-14T08:30"),  # into the moved Saturday
        ("2026-02-14T17:00", 60, "2026-02-24T08:30"),  # over the Spring Festival
        ("2026-03-02T03:00", 240, "2026-03-02T12:00"),  # at night; ends with the morning, not after the break
    ],
)
def test_working_minutes_are_counted_in_working_hours_only(start: str, minutes: int, end: str) -> None:
    assert calendar().after(at(start), minutes, ZONE) == at(end)


@given(start=MOMENTS, minutes=st.integers(1, 3000))
def test_so_many_minutes_lie_between_a_moment_and_the_one_after_them(start: datetime, minutes: int) -> None:
    end = calendar().after(start, minutes, ZONE)
    assert calendar().minutes_between(start, end, ZONE) == minutes
    assert end.tzinfo is UTC and end > start


@given(start=MOMENTS, first=st.integers(1, 900), second=st.integers(1, 900))
def test_working_minutes_add_up(start: datetime, first: int, second: int) -> None:
    working = calendar()
    assert working.after(working.after(start, first, ZONE), second, ZONE) == working.after(start, first + second, ZONE)


def test_a_year_without_a_circular_is_named() -> None:
    working = calendar()
    assert working.uncovered(at("2026-12-31T17:00"), at("2027-01-04T09:00"), ZONE) == (2027,)
    assert working.uncovered(at("2025-12-31T17:00"), at("2026-01-05T09:00"), ZONE) == ()


def test_the_shipped_years_hold_each_day_once_and_moved_days_are_weekend_days() -> None:
    working = calendar()
    assert working.years == {2025, 2026} and not working.off & working.worked
    assert all(day.weekday() >= 5 for day in working.worked)
    assert len([day for day in working.off if day.year == 2026]) == 33
    assert len([day for day in working.off if day.year == 2025]) == 28


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            'monday = ["08:00-12:00", "13:30-17:30"]',
            'monday = ["08:00-13:40", "13:30-17:30"]',
            "overlap or run backwards",
        ),
        ('monday = ["08:00-12:00", "13:30-17:30"]', 'monday = ["morning"]', "no working calendar"),
        ('"2026-01-04", "2026-02-14"', '"2026-01-02", "2026-02-14"', "2026-01-02 is a day off and worked"),
        ('["2026-01-01", "2026-01-03"]', '["2026-01-03", "2026-01-01"]', "no range of days"),
        ('["2026-01-01", "2026-01-03"]', '["2025-12-31", "2026-01-03"]', "2025-12-31 does not lie in 2026"),
        ("sunday = []\n", "", "'sunday'"),
    ],
)
def test_a_file_that_is_no_calendar_says_what_is_wrong(tmp_path: Path, old: str, new: str, says: str) -> None:
    own = tmp_path / "calendar.toml"
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    own.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=says):
        calendar(str(own))


def test_a_calendar_without_any_working_hours_is_none(tmp_path: Path) -> None:
    own = tmp_path / "calendar.toml"
    own.write_text(
        SHIPPED.read_text(encoding="utf-8").replace('["08:00-12:00", "13:30-17:30"]', "[]"), encoding="utf-8"
    )
    with pytest.raises(ValueError, match="a week has no working hours"):
        calendar(str(own))


def test_a_department_that_works_an_hour_a_week_still_gets_an_answer(tmp_path: Path) -> None:
    own = tmp_path / "calendar.toml"
    days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "moved")
    hours = "\n".join(f"{day} = []" for day in days)
    own.write_text(
        f'[[week]]\nfrom = 2020-01-01\nsource = "x"\nconfidence = "U"\n{hours}\nsunday = ["09:00-10:00"]\n',
        encoding="utf-8",
    )
    working = calendar(str(own))
    assert working.after(at("2026-03-02T09:00"), 90, ZONE) == at("2026-03-15T09:30")
    with pytest.raises(LookupError):
        working.after(at("2026-03-02T09:00"), 60 * 60, ZONE)
    assert working.holds(40 * 60) and not working.holds(41 * 60)
    assert working.uncovered(at("2026-03-02T09:00"), at("2026-03-02T09:00") + timedelta(days=1), ZONE) == (2026,)


def test_a_day_with_a_change_of_the_clock_is_not_counted_twice() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    before = datetime(2026, 3, 27, 17, 0, tzinfo=berlin)  # summer time begins on the Sunday after
    assert calendar().after(before, 60, berlin) == datetime(2026, 3, 30, 8, 30, tzinfo=berlin)
