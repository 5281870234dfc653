"""A control chart: values in the order of time between their limits, with the phases from one baseline to the next. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

STEP, HEIGHT = 48, 260  # units of the picture: from one value to the next, of the field
LEFT, TOP, FOOT, RIGHT = 72, 30, 40, 24
_MARGIN, _TICKS = 0.08, 5
_STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Reading(Generic[Thing]):
    """One value; `smoothed`: its moving average where there is one; `of`: what it is the value of."""

    value: float
    of: Thing
    smoothed: float | None = None
    begins: bool = False  # a new phase


@dataclass(frozen=True, slots=True)
class Span:
    """A phase: the first of its values, and the centre and limits made of it, where there are any."""

    first: int
    mean: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Mark(Generic[Thing]):
    """A value as it is drawn."""

    x: float
    y: float
    smoothed: float | None
    begins: bool
    of: Thing


@dataclass(frozen=True, slots=True)
class Field:
    """A phase as it is drawn: from where to where, at which heights."""

    x1: float
    x2: float
    mean: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Control(Generic[Thing]):
    """Everything that is drawn; `low` and `high`: where the outer limits stand, None where there are none."""

    width: int
    ticks: Sequence[tuple[float, str]]  # y, value
    marks: Sequence[Mark[Thing]]
    fields: Sequence[Field]
    low: float | None
    high: float | None
    height: int = TOP + HEIGHT + FOOT
    left: int = LEFT
    foot: int = TOP + HEIGHT
    top: int = TOP

    @property
    def joined(self) -> Sequence[tuple[Mark[Thing], Mark[Thing]]]:
        """Neighbours of one phase."""
        return [(one, other) for one, other in zip(self.marks, self.marks[1:], strict=False) if not other.begins]

    @property
    def averaged(self) -> Sequence[tuple[float, float, float, float]]:
        """The moving average from neighbour to neighbour: x1, y1, x2, y2."""
        return [
            (one.x, one.smoothed, other.x, other.smoothed)
            for one, other in self.joined
            if one.smoothed is not None and other.smoothed is not None
        ]


def control_of(
    readings: Sequence[Reading[Thing]], spans: Sequence[Span], *, low: float | None = None, high: float | None = None
) -> Control[Thing]:
    """Values in order; `low`, `high`: limits from outside, such as a standard's, drawn over the whole width."""
    told = [one.value for one in readings] + [one.smoothed for one in readings if one.smoothed is not None]
    told += [value for one in spans for value in (one.mean, one.low, one.high) if value is not None]
    told += [value for value in (low, high) if value is not None]
    least, step, most = _axis(min(told, default=0.0), max(told, default=1.0))

    def y(value: float) -> float:
        return round(TOP + HEIGHT * (1 - (value - least) / (most - least)), 1)

    def at(number: float) -> float:
        return round(LEFT + STEP * (number + 0.5), 1)

    def maybe(value: float | None) -> float | None:
        return None if value is None else y(value)

    marks = [
        Mark(at(number), y(one.value), maybe(one.smoothed), one.begins, one.of) for number, one in enumerate(readings)
    ]
    ends = [*(one.first for one in spans[1:]), len(readings)]
    fields = [
        Field(at(one.first - 0.5), at(end - 0.5), maybe(one.mean), maybe(one.low), maybe(one.high))
        for one, end in zip(spans, ends, strict=False)
    ]
    count = round((most - least) / step)
    ticks = [(y(least + step * number), _written(least + step * number, step)) for number in range(count + 1)]
    width = LEFT + STEP * max(6, len(readings)) + RIGHT
    return Control(width, ticks, marks, fields, maybe(low), maybe(high))


def _axis(least: float, most: float) -> tuple[float, float, float]:
    """From a round figure below, in round steps, to one above; what is all one value gets room about it."""
    room = (most - least) * _MARGIN or abs(most) * _MARGIN or 1.0
    least, most = least - room, most + room
    rough = (most - least) / _TICKS
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(one * size for one in _STEPS if one * size >= rough - 1e-12 * size)
    return math.floor(least / step + 1e-9) * step, step, math.ceil(most / step - 1e-9) * step


def _written(value: float, step: float) -> str:
    """With as many decimals as the steps have."""
    decimals = next((number for number in range(7) if abs(round(step, number) - step) < 1e-9 * step), 6)
    return f"{value + 0.0:.{decimals}f}".replace("-", "−")
