"""What holds a scanner over midnight is drawn on each day that it touches, and only as far as the day reaches."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from slipring.department.bookings import Booking, Scanner
from slipring.department.day_picture import NAMES, WIDTH, Picture, picture_of

ZONE = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 3, 3)
NOW = datetime(2026, 3, 3, 12, tzinfo=ZONE)
CT = Scanner({"resourceType": "Device", "id": "ct"})


def drawn(starts: datetime, ends: datetime, day: date = DAY, now: datetime = NOW) -> Picture:
    held = Booking({"serviceType": [{"coding": [{"code": "maintenance"}]}]}, starts, ends, CT.reference, "")
    return picture_of([CT], [held], {}, day=day, now=now, zone=ZONE)


def test_a_block_of_many_days_fills_a_day_in_its_middle() -> None:
    [bar] = drawn(NOW - timedelta(days=40), NOW + timedelta(days=2)).bars
    assert (bar.x, bar.x + bar.width + 1) == pytest.approx((NAMES, WIDTH))


def test_what_ends_after_midnight_takes_the_beginning_of_the_next_day_alone() -> None:
    eve, ends = datetime(2026, 3, 2, 23, 30, tzinfo=ZONE), datetime(2026, 3, 3, 0, 30, tzinfo=ZONE)
    picture = drawn(eve, ends)
    [bar] = picture.bars
    assert [words for _, words in picture.hours][:2] == ["00:00", "01:00"]
    assert bar.x == NAMES and bar.x + bar.width + 1 == pytest.approx((picture.hours[0][0] + picture.hours[1][0]) / 2)
    [before] = drawn(eve, ends, day=date(2026, 3, 2)).bars
    assert before.x + before.width + 1 == pytest.approx(WIDTH)


def test_now_is_drawn_on_today_alone_whatever_began_earlier() -> None:
    began = NOW - timedelta(days=1)
    assert drawn(began, NOW).now is not None
    assert drawn(began, NOW, day=date(2026, 3, 2)).now is None
    empty = picture_of([CT], [], {}, day=DAY, now=NOW, zone=ZONE)
    assert empty.now is not None, "a day with nothing on it has a now as well"
