"""A deadline is an instant: neither day on which the clock of the wall jumps changes how long an answer may take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from slipring.rules.calendar import calendar
from slipring_critical.ladders.choosing import hour_of
from slipring_critical.settings import CriticalSettings

from tests.support.ringing import ARinging, a_department, a_finding, a_handover

BERLIN = ZoneInfo("Europe/Berlin")
_FORWARD = datetime(2026, 3, 29, 1, 58, tzinfo=BERLIN)  # at two it was three
_BACK = datetime(2026, 10, 25, 2, 58, fold=0, tzinfo=BERLIN)  # at three it was two again
_STEPS = {"requester.test": 0, "duty.test": 3, "head.test": 6, "affairs.test": 10}  # minutes, of level 1


@pytest.mark.parametrize("opened", [_FORWARD, _BACK], ids=["forward", "back"])
async def test_the_steps_come_after_as_many_minutes_as_on_any_day(opened: datetime) -> None:
    ringing = ARinging(*a_department(), settings=CriticalSettings(time_zone="Europe/Berlin"))
    began = opened.astimezone(UTC)
    ringing._set_clock(began)
    await ringing.arrive(a_handover())
    await ringing.arrive(a_finding())
    await ringing.wait(minutes=12)
    first: dict[str, float] = {}
    for heard in ringing.receivers.heard:
        first.setdefault(heard.host, (heard.at - began) / timedelta(minutes=1))
    assert {host: first[host] for host in _STEPS} == _STEPS


@pytest.mark.parametrize(
    ("moment", "hour"),
    [
        ("2026-03-29T00:59:59", "holiday"),  # Sunday, before the clock goes forward
        ("2026-03-29T21:59:59", "holiday"),  # a minute to midnight by summer time
        ("2026-03-29T22:00:00", "night"),  # Monday, though by winter time it were still Sunday
        ("2026-03-30T05:59:59", "night"),
        ("2026-03-30T06:00:00", "day"),  # eight by summer time
        ("2026-10-25T00:30:00", "holiday"),  # half past two, the first time
        ("2026-10-25T01:30:00", "holiday"),  # and again
        ("2026-10-25T22:59:59", "holiday"),
        ("2026-10-25T23:00:00", "night"),
        ("2026-10-26T06:59:59", "night"),  # by summer time it were day
        ("2026-10-26T07:00:00", "day"),
    ],
)
def test_which_ladder_rings_goes_by_the_clock_on_the_wall_of_that_day(moment: str, hour: str) -> None:
    assert hour_of(datetime.fromisoformat(moment).replace(tzinfo=UTC), calendar(), BERLIN) == hour
