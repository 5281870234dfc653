"""The day of a scanner, the queue at its door, and the register of arrivals."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slipring.fhir.service import Write
from slipring_order.handlers.day_views import arrivals, free, queue, whole_day
from slipring_order.handlers.reception import arrived
from slipring_order.handlers.scheduling import appointment_written
from slipring_order.rooms.day import Hours, Span, Taken, free_slots, slots
from slipring_order.rooms.queue import Waiting, in_order

from tests.support.ordering import NOW, a_request, received, the_exam
from tests.support.rooms import a_booking_desk, a_scanner, another_exam, call, out, period, schedule

ZONE = ZoneInfo("Asia/Shanghai")
CT1: Any = ("Reference", {"reference": "Device/o-ct1"})
DAY: Any = ("Date", "2026-03-03")
AT_NINE = NOW + timedelta(hours=7, minutes=30)


def part(entry: list[dict[str, Any]], name: str) -> Any:
    found = next(p for p in entry if p["name"] == name)
    return next(value for member, value in found.items() if member != "name")


async def test_a_day_shows_what_is_free_booked_and_blocked_and_free_slots_leave_both_out() -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    await schedule(desk, scanner=CT1, period=period(AT_NINE))
    block = {
        "resourceType": "Appointment", "id": "o-m", "status": "booked", "serviceType": [{"coding": [{"code": "maintenance"}]}],
        "participant": [{"actor": {"reference": "Device/o-ct1"}, "status": "accepted"}],
        "start": "2026-03-03T10:00:00+08:00", "end": "2026-03-03T11:00:00+08:00",
    }  # fmt: skip
    desk.carry_out(await appointment_written(Write("create", block), desk), block)
    scanner = await desk.read("Device/o-ct1")
    entries = out(await whole_day(call(scanner, day=DAY), desk), "entry")
    states = [part(entry, "state") for entry in entries]
    assert (states.count("free"), states.count("booked"), states.count("blocked")) == (35, 1, 1)
    booked = next(entry for entry in entries if part(entry, "state") == "booked")
    assert part(booked, "exam") == {"reference": f"Task/{(await the_exam(desk))['id']}"}
    starts = [part(entry, "period")["start"] for entry in entries]
    assert starts == sorted(starts)
    assert len(out(await free(call(scanner, day=DAY), desk), "slot")) == 35
    assert out(await free(call(scanner, day=("Date", "2026-03-08")), desk), "slot") == []  # a Sunday


@pytest.mark.clause("4.13 d")
async def test_the_register_of_a_day_says_who_came_when_and_who_received_him() -> None:
    desk = a_booking_desk()
    await received(desk, a_request())
    exam = await desk.read(f"Task/{(await the_exam(desk))['id']}")
    shown = {"identifier": ("Identifier", {"value": "A1"}), "birthDate": ("Date", "1961-07-15")}
    who: Any = ("Reference", {"reference": "Practitioner/o-doc"})
    desk.carry_out(await arrived(call(exam, performer=who, **shown), desk))
    [entry] = out(await arrivals(call(None, day=DAY), desk), "entry")
    assert part(entry, "receivedBy") == who[1] and part(entry, "imagingNumber") == "CT20260303000001"
    assert part(entry, "patient") == {"reference": "Patient/o-pat"}
    assert (await arrivals(call(None, day=("Date", "2026-03-02")), desk)).answer == {"resourceType": "Parameters"}
    [here] = out(await queue(call(None), desk), "entry")
    assert part(here, "exam") == {"reference": f"Task/{(await the_exam(desk))['id']}"}


@pytest.mark.clause("5.4.4.1")
def test_the_green_channel_goes_first_and_whoever_is_overtaken_sees_it() -> None:
    noon = datetime(2026, 3, 3, 4, tzinfo=UTC)
    here = [
        Waiting("Task/routine", "routine", noon),
        Waiting("Task/urgent", "urgent", noon + timedelta(minutes=5)),
        Waiting("Task/stat", "stat", noon + timedelta(minutes=9)),
        Waiting("Task/late", "routine", noon + timedelta(minutes=20)),
    ]
    places = [(place.waiting.exam, place.bumped_by) for place in in_order(here)]
    assert places == [("Task/stat", 0), ("Task/urgent", 1), ("Task/routine", 2), ("Task/late", 0)]


PEOPLE = st.lists(
    st.builds(
        Waiting,
        exam=st.uuids().map(str),
        priority=st.sampled_from(["stat", "asap", "urgent", "routine", "whenever"]),
        arrived_at=st.integers(0, 90).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    ),
    max_size=12,
    unique_by=lambda one: one.exam,
)


@given(PEOPLE, st.integers(0, 12))
def test_whoever_comes_later_changes_the_order_of_nobody_else(people: list[Waiting], split: int) -> None:
    here = people[:split]
    assert [one.waiting for one in in_order(people) if one.waiting in here] == [one.waiting for one in in_order(here)]


@given(st.lists(st.tuples(st.integers(0, 96), st.integers(1, 8)), max_size=8), st.integers(5, 60))
def test_a_free_slot_meets_nothing_that_is_taken_and_lies_within_the_hours(
    held: list[tuple[int, int]], minutes: int
) -> None:
    day, quarter = date(2026, 3, 3), timedelta(minutes=15)
    midnight = datetime.combine(day, time(0), ZONE).astimezone(UTC)
    hours = Hours({"tue": [(time(8), time(12)), (time(13), time(18))]}, timedelta(minutes=minutes))
    taken = [Taken(Span(midnight + a * quarter, midnight + (a + b) * quarter), f"Appointment/{a}") for a, b in held]
    for slot in free_slots(hours, day, taken, midnight, ZONE):
        assert not any(slot.meets(one.span) for one in taken)
        assert any(o.starts_at <= slot.starts_at and slot.ends_at <= o.ends_at for o in hours.on(day, ZONE))
    assert len(free_slots(hours, day, [], midnight, ZONE)) == len(slots(hours, day, ZONE))


async def test_who_came_without_a_time_waits_at_every_scanner_and_how_long_is_said() -> None:
    desk = a_booking_desk(a_scanner("o-ct2"))
    await received(desk, a_request(priority="stat"))
    booked = await another_exam(desk, "o-b")
    await schedule(desk, booked, scanner=CT1)
    shown: Any = {"identifier": ("Identifier", {"value": "A1"}), "birthDate": ("Date", "1961-07-15")}
    who: Any = ("Reference", {"reference": "Practitioner/o-doc"})
    for exam in (booked, await the_exam(desk)):
        target = await desk.read(f"Task/{exam['id']}")
        desk.carry_out(await arrived(call(target, performer=who, **shown), desk))
        desk.now += timedelta(minutes=7)
    for scanner, expected in (("o-ct1", [(7, 0), (14, 1)]), ("o-ct2", [(7, 0)])):
        asked = call(None, scanner=("Reference", {"reference": f"Device/{scanner}"}))
        entries = out(await queue(asked, desk), "entry")
        assert [(part(entry, "waited"), part(entry, "bumpedBy")) for entry in entries] == expected
    assert part(entries[0], "priority") == "stat", "the emergency that nobody booked is seen at both"
