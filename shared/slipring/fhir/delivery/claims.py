"""Until when a worker's claims on timers hold, by this machine's own clock: it goes on while a process stands still."""

from __future__ import annotations

from collections.abc import Iterable

from slipring.fhir.delivery.queue import uptime

LEASE_SECONDS = 10.0
_SAFETY_SECONDS = 0.5  # a claim is given up a little before the database gives it to others


class Claims:
    """By timer id."""

    def __init__(self) -> None:
        self._until: dict[int, float] = {}

    def hold(self, timer: int, since: float) -> None:
        """Claimed, or renewed, by a statement that began then (seconds of uptime)."""
        self._until[timer] = since + LEASE_SECONDS - _SAFETY_SECONDS

    def renew(self, timers: Iterable[int], since: float) -> None:
        """The database has renewed these; one that was let go meanwhile stays so."""
        for timer in timers:
            if timer in self._until:
                self.hold(timer, since)

    def let_go(self, timer: int) -> None:
        """It is done with."""
        self._until.pop(timer, None)

    def held(self, timer: int) -> bool:
        """Whether nobody else can have it yet."""
        return uptime() < self._until.get(timer, 0.0)
