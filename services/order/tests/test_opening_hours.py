"""The hours of a scanner around midnight and where the clocks change, and what holds it over a night."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import Resource, Write
from slipring_order.handlers.day_views import free, whole_day
from slipring_order.handlers.scheduling import appointment_written
from slipring_order.reading import instant
from slipring_order.rooms.booking import next_free
from slipring_order.rooms.day import Hours, slots, span_of_day
from slipring_order.rooms.scanner import scanner_of

from tests.support.desk import ADesk
from tests.support.ordering import NOW, a_request, received
from tests.support.rooms import a_booking_desk, a_scanner, call, out, period, schedule

SHANGHAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NIGHTS: Resource = {
    "resourceType": "Location", "id": "o-night", "status": "active",
    "hoursOfOperation": [{"daysOfWeek": list(WEEK), "openingTime": "22:00:00", "closingTime": "06:00:00"}],
}  # fmt: skip
CT1: Any = ("Reference", {"reference": "Device/o-ct1"})
TODAY: Any = ("Date", "2026-03-03")
MIDNIGHT = datetime(2026, 3, 2, 16, tzinfo=UTC)  # 3 March in the department begins


def a_night_desk() -> ADesk:
    return a_booking_desk(a_scanner(location={"reference": "Location/o-night"}), NIGHTS)


async def starts_of(desk: ADesk, day: Any = TODAY) -> list[str]:
    found = out(await free(call(await desk.read("Device/o-ct1"), day=day), desk), "slot")
    return [slot["start"] for slot in found]


async def test_a_night_shift_is_free_on_both_of_its_days_and_what_holds_it_after_midnight_is_seen() -> None:
    desk = a_night_desk()
    await received(desk, a_request())
    before = await starts_of(desk)  # it is half past one: the night that began yesterday goes on until six
    assert before[0] == instant(NOW) and len(before) == 18 + 8
    three = MIDNIGHT + 3 * HOUR
    await schedule(desk, scanner=CT1, period=period(three))
    assert instant(three) in before and instant(three) not in await starts_of(desk)


async def test_the_next_free_slot_is_found_in_the_night_that_began_yesterday() -> None:
    desk = a_night_desk()
    scanner = scanner_of(a_scanner(), NIGHTS)
    found = await next_free(scanner, desk)
    assert found and found.starts_at == NOW


async def test_what_runs_past_midnight_holds_the_slots_after_it() -> None:
    desk = a_night_desk()
    await received(desk, a_request())
    late = MIDNIGHT + 23 * HOUR + timedelta(minutes=50)
    await schedule(desk, scanner=CT1, period=period(late, 40))
    tomorrow = await starts_of(desk, ("Date", "2026-03-04"))
    assert tomorrow[0] == instant(MIDNIGHT + 24 * HOUR + timedelta(minutes=30))
    assert instant(MIDNIGHT + 23 * HOUR + timedelta(minutes=45)) not in await starts_of(desk)
    for day in ("2026-03-03", "2026-03-04"):
        shown = await whole_day(call(await desk.read("Device/o-ct1"), day=("Date", day)), desk)
        states = [part["valueCode"] for entry in out(shown, "entry") for part in entry if part["name"] == "state"]
        assert states.count("booked") == 1, "it holds some of both days"


@pytest.mark.parametrize(
    ("hours", "first", "count"),
    [
        ([{"allDay": True}], "16:00", 96),  # no day is named: every day
        ([{"daysOfWeek": ["tue"], "openingTime": "09:00:00"}], "01:00", 60),  # until midnight
        ([{"daysOfWeek": ["tue"], "openingTime": "08:00:00", "closingTime": "23:59:60"}], "00:00", 63),
        (
            [
                {"daysOfWeek": ["tue"], "openingTime": "08:00:00", "closingTime": "12:00:00"},
                {"daysOfWeek": ["tue"], "openingTime": "11:50:00", "closingTime": "13:00:00"},
            ],
            "00:00",
            20,
        ),  # hours that run into each other are one
        ([{"daysOfWeek": ["wed"], "openingTime": "08:00:00"}], "", 0),
    ],
)
def test_hours_as_a_room_states_them(hours: list[Resource], first: str, count: int) -> None:
    stated = scanner_of(a_scanner(), {"resourceType": "Location", "id": "o-r", "hoursOfOperation": hours}).hours
    found = slots(stated, date(2026, 3, 3), SHANGHAI)
    assert len(found) == count
    assert not found or f"{found[0].starts_at:%H:%M}" == first
    assert all(one.ends_at <= other.starts_at for one, other in pairwise(found))


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_on_which_the_clocks_change_has_as_many_slots_as_it_has_hours(day: str, hours: int) -> None:
    always = Hours({name: [(time.min, time.min)] for name in WEEK}, HOUR)
    found = slots(always, date.fromisoformat(day), BERLIN)
    assert len(found) == hours and len({slot.starts_at for slot in found}) == hours


CLOCKS = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))


@given(
    st.dictionaries(st.sampled_from(WEEK), st.lists(st.tuples(CLOCKS, CLOCKS), max_size=3)),
    st.dates(date(2026, 1, 2), date(2027, 12, 30)),
    st.sampled_from([SHANGHAI, BERLIN, ZoneInfo("America/St_Johns")]),
    st.integers(5, 120),
)
def test_every_slot_belongs_to_one_day_and_meets_no_other(
    week: dict[str, list[tuple[time, time]]], day: date, zone: ZoneInfo, minutes: int
) -> None:
    hours = Hours(week, timedelta(minutes=minutes))
    days = [day + timedelta(days=n) for n in range(3)]
    found = [(one, slot) for one in days for slot in slots(hours, one, zone)]
    assert all(slot.starts_at.astimezone(zone).date() == one for one, slot in found)
    assert all(span_of_day(one, zone).meets(slot) for one, slot in found)
    of_a_day = [slots(hours, one, zone) for one in days]
    assert all(a.ends_at <= b.starts_at for spans in of_a_day for a, b in pairwise(spans))


@pytest.mark.parametrize(
    ("start", "minutes", "detail"),
    [
        (HOUR, 24 * 60 + 1, "slot-too-long"),
        (timedelta(days=732), 15, "slot-too-far"),
        (timedelta(days=365 * 1000), 15, "slot-too-far"),
    ],
)
async def test_a_time_that_is_too_long_or_too_far_away_is_refused(start: timedelta, minutes: int, detail: str) -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    with pytest.raises(FhirError) as refused:
        await schedule(desk, scanner=CT1, period=period(NOW + start, minutes))
    assert (refused.value.status, refused.value.issues[0].detail) == (422, f"order.{detail}")
    assert refused.value.issues[0].at == "Parameters.parameter[1]"


@pytest.mark.parametrize(
    ("start", "end", "detail"),
    [
        (HOUR, timedelta(days=367, hours=2), "slot-too-long"),
        (2 * HOUR, HOUR, "slot-backwards"),
        (HOUR, None, "slot-missing"),
    ],
)
async def test_a_block_has_bounds_too(start: timedelta, end: timedelta | None, detail: str) -> None:
    desk = a_booking_desk()
    block: Resource = {
        "resourceType": "Appointment", "id": "o-m", "status": "booked",
        "serviceType": [{"coding": [{"code": "maintenance"}]}],
        "participant": [{"actor": {"reference": "Device/o-ct1"}, "status": "accepted"}],
        "start": instant(NOW + start),
    }  # fmt: skip
    if end:
        block["end"] = instant(NOW + end)
    with pytest.raises(FhirError) as refused:
        await appointment_written(Write("create", block), desk)
    assert (refused.value.status, refused.value.issues[0].detail) == (422, f"order.{detail}")


async def test_a_block_of_many_months_is_seen_on_its_last_day() -> None:
    desk = a_booking_desk()
    block: Resource = {
        "resourceType": "Appointment", "id": "o-m", "status": "booked",
        "serviceType": [{"coding": [{"code": "maintenance"}]}],
        "participant": [{"actor": {"reference": "Device/o-ct1"}, "status": "accepted"}],
        "start": instant(NOW - timedelta(days=300)), "end": instant(MIDNIGHT + 12 * HOUR),
    }  # fmt: skip
    desk.carry_out(await appointment_written(Write("create", block), desk), block)
    assert (await starts_of(desk))[0] == instant(MIDNIGHT + 12 * HOUR)
