"""How many fell into each band: a bar for each, its height the count. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

BAR, GAP, HEIGHT = 84, 14, 180  # units of the picture
LEFT, TOP, FOOT = 16, 28, 34


@dataclass(frozen=True, slots=True)
class Band:
    """How many fell between two values; `beyond`: above what is allowed."""

    name: str
    count: int
    beyond: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A band as it is drawn; one that nothing fell into has no height."""

    x: float
    y: float
    height: float
    band: Band

    @property
    def middle(self) -> float:
        """Where its count and its name stand."""
        return self.x + BAR / 2


@dataclass(frozen=True, slots=True)
class Bars:
    """Everything that is drawn; `limit`: where the line between allowed and beyond stands, None without one."""

    width: int
    height: int
    bars: Sequence[Bar]
    limit: float | None
    foot: int = TOP + HEIGHT
    bar: int = BAR

    @property
    def count(self) -> int:
        """How many there are in all."""
        return sum(one.band.count for one in self.bars)


def bars_of(bands: Sequence[Band]) -> Bars:
    """The bands in order, the fullest as high as the picture."""
    most = max((one.count for one in bands), default=0)
    bars = []
    for number, one in enumerate(bands):
        height = round(HEIGHT * one.count / most, 1) if most else 0.0
        bars.append(Bar(LEFT + (BAR + GAP) * number, TOP + HEIGHT - height, height, one))
    first = next((bar for bar in bars if bar.band.beyond), None)
    limit = first.x - GAP / 2 if first is not None else None
    return Bars(LEFT * 2 + (BAR + GAP) * len(bands), TOP + HEIGHT + FOOT, bars, limit)
