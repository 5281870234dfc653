"""Rates one below the other: a line for each, a point with its interval. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

WIDTH, LANE, HEAD = 1000, 44, 30  # units of the picture
NAMES, FIGURES = 300, 190  # room left for the names, and right for the figures
_TICKS = 4
_STEPS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25)  # how far two ticks are apart at most
Thing = TypeVar("Thing")
Bounds = tuple[float, float, float]  # rate, low, high, from 0 to 1


@dataclass(frozen=True, slots=True)
class Mark(Generic[Thing]):
    """One rate as it is drawn; `y` is the middle of its line, `of` what it is the rate of."""

    y: float
    at: float
    low: float
    high: float
    of: Thing


@dataclass(frozen=True, slots=True)
class Lanes(Generic[Thing]):
    """Everything that is drawn."""

    height: int
    ticks: Sequence[tuple[float, float]]  # x, rate
    marks: Sequence[Mark[Thing]]
    width: int = WIDTH
    figures: int = WIDTH - FIGURES + 16


def lanes_of(drawn: Sequence[tuple[Thing, Bounds]]) -> Lanes[Thing]:
    """Each with its rate and interval, in order, from nought to what the widest interval reaches."""
    widest = max((bounds[2] for _, bounds in drawn), default=0.0)
    step = next((one for one in _STEPS if one * _TICKS >= widest), _STEPS[-1])
    most = step * max(1, math.ceil(widest / step - 1e-9))

    def x(rate: float) -> float:
        return round(NAMES + (WIDTH - NAMES - FIGURES) * rate / most, 1)

    marks = [
        Mark(HEAD + LANE * (row + 0.5), x(rate), x(low), x(high), thing)
        for row, (thing, (rate, low, high)) in enumerate(drawn)
    ]
    ticks = [(x(step * number), step * number) for number in range(round(most / step) + 1)]
    return Lanes(HEAD + LANE * len(drawn), ticks, marks)
