"""The clock, handed in: nothing else in the project asks what time it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the present moment, aware and in UTC."""

    def now(self) -> datetime:
        """The present moment."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment."""
        return datetime.now(UTC)


class FakeClock:
    """A clock that tests move by hand."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """Where the test has put it."""
        return self._at

    def advance(self, by: timedelta) -> datetime:
        """Move forward; the new moment."""
        self._at += by
        return self._at


def utc_now() -> datetime:
    """The present moment of the machine, for command lines."""
    return SystemClock().now()
