"""Turns, shifts, swaps and gaps as a pure function of the roster, also over a change of the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from slipring_critical.directory.roster import NO_ROUTE, NOBODY, Roster, Rotation, Shift, gaps

ZONE = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 3, 2, tzinfo=ZONE)
DAILY = Rotation(("a", "b", "c"), 1, time(8), date(2026, 3, 2))


def hours(count: float) -> datetime:
    return (MONDAY + timedelta(hours=count)).astimezone(UTC)


def a_roster(*shifts: Shift, rotation: Rotation | None = DAILY) -> Roster:
    return Roster("Schedule/k-r", "ward-duty", frozenset(), rotation, shifts=shifts)


def a_shift(person: str, start: float, end: float, *, instead_of: str = "", written: float = 0) -> Shift:
    return Shift(hours(start), hours(end), person, f"Slot/{person}", hours(written), instead_of)


def test_a_rotation_hands_over_at_its_hour_and_is_empty_before_it_begins() -> None:
    roster = a_roster()
    found = [roster.on_call(hours(at), ZONE) for at in (7.9, 8, 31.9, 32, 8 + 72)]
    assert found == [(), ("a",), ("a",), ("b",), ("a",)]


def test_a_weekly_rotation_hands_over_on_the_weekday_it_began() -> None:
    roster = a_roster(rotation=Rotation(("a", "b"), 7, time(8), date(2026, 3, 2)))
    assert [roster.on_call(hours(8 + 24 * day), ZONE)[0] for day in (0, 6, 7, 13, 14)] == ["a", "a", "b", "b", "a"]


def test_a_shift_stands_in_place_of_the_rotation_and_two_at_once_both_ring() -> None:
    roster = a_roster(a_shift("x", 10, 20), a_shift("y", 15, 30))
    assert roster.on_call(hours(9), ZONE) == ("a",)
    assert roster.on_call(hours(12), ZONE) == ("x",)
    assert set(roster.on_call(hours(16), ZONE)) == {"x", "y"}


def test_a_swap_holds_only_where_the_one_it_stands_for_is_on_call() -> None:
    swap = a_shift("b", 8, 32, instead_of="a", written=1)
    assert a_roster(swap).on_call(hours(12), ZONE) == ("b",)
    assert a_roster(swap, a_shift("x", 8, 32, written=2)).on_call(hours(12), ZONE) == ("x",)
    passed_on = a_shift("c", 8, 32, instead_of="b", written=2)
    assert a_roster(passed_on, swap).on_call(hours(12), ZONE) == ("c",)


def test_the_hours_at_which_nobody_would_be_rung_are_exact() -> None:
    roster = a_roster(a_shift("x", 8, 20), a_shift("y", 22, 32), rotation=None)
    found = gaps(roster.turns(hours(8), hours(40), ZONE), lambda person: "" if person == "x" else NO_ROUTE)
    assert [(gap.start, gap.end, gap.reason) for gap in found] == [
        (hours(20), hours(22), NOBODY),
        (hours(22), hours(32), NO_ROUTE),
        (hours(32), hours(40), NOBODY),
    ]


def test_a_day_of_23_hours_hands_over_by_the_clock_on_the_wall() -> None:
    """In Berlin the clock went forward on 29 March 2026 at two."""
    roster = a_roster(rotation=Rotation(("a", "b"), 1, time(8), date(2026, 3, 28)))
    start = datetime(2026, 3, 28, 8, tzinfo=BERLIN).astimezone(UTC)
    turns = roster.turns(start, start + timedelta(hours=47), BERLIN)
    assert [(turn.end - turn.start) / timedelta(hours=1) for turn in turns] == [23, 24]


SHIFTS = st.builds(
    lambda who, start, length, instead, written: a_shift(who, start, start + length, instead_of=instead, written=written),
    st.sampled_from("abxy"), st.integers(0, 200), st.integers(1, 60), st.sampled_from(["", "", "a", "b"]), st.integers(0, 99),
)  # fmt: skip
ROTATIONS = st.one_of(
    st.none(),
    st.builds(
        Rotation,
        st.just(("a", "b")), st.sampled_from([1, 7]), st.builds(time, st.integers(0, 23)), st.just(date(2026, 3, 3)),
    ),
)  # fmt: skip


@given(
    st.lists(SHIFTS, max_size=8),
    ROTATIONS,
    st.lists(st.integers(0, 239 * 60), min_size=1, max_size=20),
)  # fmt: skip
def test_turns_have_no_hole_and_say_of_every_minute_who_is_on_call(
    shifts: list[Shift], rotation: Rotation | None, minutes: list[int]
) -> None:
    roster = a_roster(*shifts, rotation=rotation)
    start, end = hours(0), hours(240)
    turns = roster.turns(start, end, ZONE)
    assert (turns[0].start, turns[-1].end) == (start, end)
    assert all(one.end == other.start and one.start < one.end for one, other in pairwise(turns))
    for minute in minutes:
        at = start + timedelta(minutes=minute)
        [turn] = [one for one in turns if one.start <= at < one.end]
        assert turn.people == roster.on_call(at, ZONE)
    silent = gaps(turns, lambda person: "")
    assert sum((gap.end - gap.start for gap in silent), timedelta()) == sum(
        (turn.end - turn.start for turn in turns if not turn.people), timedelta()
    )
