"""The system's clock is aware; the fake one moves only by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from slipring.runtime.clock import FakeClock, SystemClock


def test_the_system_clock_tells_an_aware_moment_in_utc() -> None:
    now = SystemClock().now()
    assert now.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)


def test_a_fake_clock_stands_still_until_it_is_advanced() -> None:
    clock = FakeClock(datetime(2026, 3, 1, 8, tzinfo=UTC))
    assert clock.now() == clock.now()
    clock.advance(timedelta(minutes=15))
    assert clock.now() == datetime(2026, 3, 1, 8, 15, tzinfo=UTC)
