"""Whether the clocks run on evenly: wall clock, this machine's uptime and the database's clock, compared each poll. Pure.

Deadlines are armed and judged by the database's clock, so a jump of it matters most; one of the wall clock is told,
because stored times come from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

JUMP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Reading:
    """The three clocks, read together."""

    uptime: float  # seconds
    wall: datetime
    database: datetime
    took: float = 0.0  # seconds between asking the database and its answer


@dataclass(frozen=True, slots=True)
class Jump:
    """A clock went ahead (positive) or back (negative) by this much against the uptime."""

    clock: Literal["wall", "database"]
    seconds: float
    at: datetime  # by the clock that jumped


class ClockWatch:
    """Remembers the last reading and the last jump of each clock."""

    def __init__(self) -> None:
        self.last: dict[str, Jump] = {}
        self.apart_seconds = 0.0  # how far the wall clock is ahead of the database's
        self._before: Reading | None = None

    def look(self, now: Reading) -> list[Jump]:
        """The jumps since the reading before.

        A slow answer is no jump: the database may have read its clock at any moment while it was asked.
        """
        before, self._before = self._before, now
        self.apart_seconds = (now.wall - now.database).total_seconds()
        if before is None:
            return []
        passed, slack = now.uptime - before.uptime, before.took + now.took
        jumps = [
            Jump("wall", (now.wall - before.wall).total_seconds() - passed, now.wall),
            Jump("database", (now.database - before.database).total_seconds() - passed, now.database),
        ]
        found = [one for one in jumps if abs(one.seconds) > JUMP_SECONDS + slack]
        self.last.update({one.clock: one for one in found})
        return found
