"""How wrong passwords slow down the next try. Pure: a value and a moment in, a value out.

A try counts before its password is looked at, so that many at once count as many. The same is done for names that no
account has: nothing an outsider sees tells them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from slipring.identity.people.figures import Figures


@dataclass(frozen=True, slots=True)
class Tries:
    """The tries under one name since the last right password."""

    failures: int = 0
    last_at: datetime | None = None
    locked_until: datetime | None = None

    def locked(self, now: datetime) -> bool:
        """Whether a try now is refused, whatever its password."""
        return self.locked_until is not None and now < self.locked_until


def counted(tries: Tries, now: datetime, figures: Figures) -> tuple[Tries, bool]:
    """The tries with this one, taken as wrong until it proves right; and whether its password may be looked at.

    A try while locked neither counts nor prolongs: who knows the password is not kept out for ever by others.
    """
    if tries.locked(now):
        return tries, False
    old = tries.last_at is not None and now - tries.last_at >= figures.failures_forgotten_after
    failures = 1 if old else tries.failures + 1
    beyond = failures - figures.free_failures
    until = now + figures.delays[min(beyond, len(figures.delays)) - 1] if beyond > 0 else None
    return Tries(failures, now, until), True
