"""A figure over time: a point with its interval for each span, a gap where there was no case. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from slipring.pages.plots.lanes import Bounds

SPAN, NARROW, HEIGHT = 84, 60, 240  # units of the picture: of one span, of one of many, of the field
GAP = 0.375  # of the axis: where it is said that there is no data, between two lines of it
FEW = 6  # spans that are drawn wide
LEFT, TOP, FOOT = 64, 44, 34  # room for the figures of the axis, for n/N above a point, for the names of the spans


@dataclass(frozen=True, slots=True)
class Figure:
    """What one span came to; `bounds` is None where there was no case: no data is not nought."""

    span: str  # its name, such as 2026-Q3
    bounds: Bounds | None = None
    counts: str = ""  # n/N
    to: str = ""  # address of its cases


@dataclass(frozen=True, slots=True)
class Dot:
    """A figure as it is drawn; without bounds it is a gap, that says so."""

    x: float
    y: float
    low: float
    high: float
    figure: Figure


@dataclass(frozen=True, slots=True)
class Trend:
    """Everything that is drawn; `target`: where the line stands that is aimed at."""

    width: int
    height: int
    ticks: Sequence[tuple[float, float]]  # y, value
    dots: Sequence[Dot]
    target: float | None = None
    left: int = LEFT
    foot: int = TOP + HEIGHT

    @property
    def seen(self) -> list[Dot]:
        """The points that have a value, to be joined where nothing is missing between them."""
        return [dot for dot in self.dots if dot.figure.bounds]

    @property
    def joined(self) -> list[tuple[Dot, Dot]]:
        """Neighbours that both have a value."""
        pairs = zip(self.dots, self.dots[1:], strict=False)
        return [(one, other) for one, other in pairs if one.figure.bounds and other.figure.bounds]


def trend_of(figures: Sequence[Figure], *, target: float | None = None) -> Trend:
    """Figures in the order of time, from 0 to 1; where one lies below nought, as kappa may, from -1."""
    lowest = min((one.bounds[1] for one in figures if one.bounds), default=0.0)
    least, step = (-1.0, 0.5) if lowest < 0 else (0.0, 0.25)

    def y(value: float) -> float:
        return round(TOP + HEIGHT * (1 - (min(1.0, max(least, value)) - least) / (1 - least)), 1)

    dots, span = [], SPAN if len(figures) <= FEW else NARROW
    for number, one in enumerate(figures):
        x = LEFT + span * (number + 0.5)
        rate, low, high = (y(value) for value in one.bounds or (least + GAP * (1 - least),) * 3)
        dots.append(Dot(x, rate, low, high, one))
    ticks = [(y(least + step * number), least + step * number) for number in range(math.floor((1 - least) / step) + 1)]
    aimed = None if target is None else y(target)
    return Trend(LEFT + span * max(1, len(figures)), TOP + HEIGHT + FOOT, ticks, dots, aimed)
