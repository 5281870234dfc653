"""The picture of the rates: one line for each group, a point with its interval, drawn to scale. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from slipring.department.names import Pair

WIDTH, LANE, HEAD = 1000, 44, 30  # units of the picture
NAMES, FIGURES = 260, 190  # room left for the names, and right for n/N
_TICKS = 4
_STEPS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25)  # how far two ticks are apart at most


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


@dataclass(frozen=True, slots=True)
class Point:
    """One group as it is drawn; `y` is the middle of its line."""

    y: float
    at: float
    low: float
    high: float
    group: Group


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that is drawn."""

    height: int
    ticks: Sequence[tuple[float, float]]  # x, rate
    points: Sequence[Point]
    width: int = WIDTH
    figures: int = WIDTH - FIGURES + 16


def picture_of(groups: Sequence[Group]) -> Picture:
    """The groups one below the other, from no reaction to what the widest interval reaches."""
    drawn = [(one, one.bounds) for one in groups if one.bounds is not None]
    widest = max((bounds[2] for _, bounds in drawn), default=0.0)
    step = next((one for one in _STEPS if one * _TICKS >= widest), _STEPS[-1])
    most = step * max(1, math.ceil(widest / step - 1e-9))

    def x(rate: float) -> float:
        return round(NAMES + (WIDTH - NAMES - FIGURES) * rate / most, 1)

    points = [
        Point(HEAD + LANE * (row + 0.5), x(rate), x(low), x(high), group)
        for row, (group, (rate, low, high)) in enumerate(drawn)
    ]
    ticks = [(x(step * number), step * number) for number in range(round(most / step) + 1)]
    return Picture(HEAD + LANE * len(drawn), ticks, points)
