"""Back from a test that failed to the last one that was passed: which exams may be affected (4.9, 5.6.2.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Judged:
    """One result of a test; `passes` None: it could not be compared, and vouches for nothing."""

    at: datetime
    passes: bool | None
    of: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Exams after `since`, the last good test, and before `until`, the next good one, are in doubt."""

    since: datetime | None  # None: no good test is on record, all earlier exams are in doubt
    failed_at: datetime
    failed: str = ""  # the first record of this failure
    until: datetime | None = None  # None: it lasts

    def holds(self, at: datetime) -> bool:
        """Whether an exam of this moment is in doubt."""
        return (self.since is None or at > self.since) and (self.until is None or at < self.until)


def doubts(results: Sequence[Judged]) -> list[Doubt]:
    """Every doubt that failures cast, the oldest first; several failures in a row are one, back to the pass before the first."""
    found: list[Doubt] = []
    good: datetime | None = None
    failing = False
    for one in sorted(results, key=lambda result: (result.at, result.of)):
        if one.passes is False and not failing:
            found.append(Doubt(good, one.at, one.of))
            failing = True
        elif one.passes:
            if failing:
                found[-1] = replace(found[-1], until=one.at)
            good, failing = one.at, False
    return found
