"""What is asked of the rows that indicators count, and who looks them up. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from slipring.qc.indicators.score import Group


@dataclass(frozen=True, slots=True)
class Asked:
    """One population from a moment until before another one, of a part of the department if named."""

    population: str
    start: datetime
    end: datetime
    scanner: str = ""
    requesters: Sequence[str] | None = None  # whose requests; None: anybody's
    system: str = ""
    newest: bool = False  # of several records on one member the last before the end counts


@dataclass(frozen=True, slots=True)
class Member:
    """One member as it was counted."""

    reference: str
    at: datetime
    value: float | None


class Counting(Protocol):
    """Looks rows up. What it finds is no ground for a write: nothing holds it until a commit."""

    async def groups(self, asked: Asked, bounds: Sequence[float] = (), per: str = "") -> list[Group]:
        """The members in groups of the same marks and remarks, and on the same side of each of the bounds (rising).

        `per`: apart by calendar month, week or day of the department as well.
        """

    async def members(
        self, asked: Asked, of: Sequence[Group], bounds: Sequence[float] = (), *, limit: int, offset: int = 0
    ) -> list[Member]:
        """The members of some of the groups that were told of with the same bounds, the earliest first."""

    async def quantiles(self, asked: Asked, of: Sequence[Group], shares: Sequence[float]) -> list[float]:
        """Values in order at these shares of the way, of the valued members of some of the groups; empty of none."""
