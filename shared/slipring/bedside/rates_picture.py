"""What contrast of one agent or lot came to, and the picture of all of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipring.department.names import Pair
from slipring.pages.plots.lanes import Lanes, lanes_of


@dataclass(frozen=True, slots=True)
class Group:
    """What one agent or lot had."""

    of: str  # ATC code, with the lot number; unknown; all
    given: int
    reacted: int
    extravasations: int
    bounds: tuple[float, float, float] | None  # rate, low, high; None where nothing was given
    cases: tuple[str, ...]  # ids of the reactions
    agent: Pair | None = None  # its name, where the code is of the table
    timed: tuple[tuple[str, int], ...] = ()  # how long after the injection they began -> how many

    @property
    def named(self) -> Pair:
        """The agent by its name with its lot, else with its code; of what has no name what it says."""
        if self.agent is None:
            return (self.of, self.of)
        atc, _, lot = self.of.partition(" ")
        return (f"{self.agent[0]} {lot or atc}", f"{self.agent[1]} {lot or atc}")


def picture_of(groups: Sequence[Group]) -> Lanes[Group]:
    """The groups one below the other; one that nothing was given of is not drawn."""
    return lanes_of([(one, one.bounds) for one in groups if one.bounds is not None])
