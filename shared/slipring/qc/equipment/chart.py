"""One test of one scanner as a control chart: phases between baselines, each with its centre, limits and flags."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from slipring.qc.equipment.charts import number
from slipring.qc.equipment.ewma import Smoothed, ewma
from slipring.qc.equipment.shewhart import Centre, centre_of
from slipring.qc.equipment.westgard import Flag, flags


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a test; `begins`: a new baseline is set by it (an accepted acceptance or status test)."""

    at: datetime
    value: float
    of: str = ""  # the record, Observation/...
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Charted:
    """A value with what the chart says of it; without a centre only where it lies."""

    point: Point
    phase: int
    flags: tuple[Flag, ...] = ()
    smoothed: Smoothed | None = None


@dataclass(frozen=True, slots=True)
class Phase:
    """From one baseline to the next: its values' centre; None as long as there are too few."""

    begins_at: datetime
    centre: Centre | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Chart:
    """All that is drawn of one test."""

    points: tuple[Charted, ...]
    phases: tuple[Phase, ...]


def chart_of(points: Sequence[Point], on: date) -> Chart:
    """Chart values in the order of time, by the numbers in force on a day.

    The first values of a phase make its centre, at most `chart.most` of them; below `chart.fewest` none is told.
    """
    ordered = sorted(points, key=lambda one: (one.at, one.of))
    drawn: list[Charted] = []
    phases: list[Phase] = []
    for series in _phases(ordered):
        centre = _centre([one.value for one in series], on)
        low, high = centre.bounds(number("chart.sigmas", on)) if centre else (None, None)
        drawn += _charted(series, centre, len(phases), on)
        phases.append(Phase(series[0].at, centre, low, high))
    return Chart(tuple(drawn), tuple(phases))


def _phases(points: Sequence[Point]) -> list[list[Point]]:
    found: list[list[Point]] = []
    for one in points:
        if one.begins or not found:
            found.append([])
        found[-1].append(one)
    return found


def _centre(values: Sequence[float], on: date) -> Centre | None:
    if len(values) < number("chart.fewest", on):
        return None
    return centre_of(values[: int(number("chart.most", on))])


def _charted(series: Sequence[Point], centre: Centre | None, phase: int, on: date) -> list[Charted]:
    if centre is None:
        return [Charted(one, phase) for one in series]
    values = [one.value for one in series]
    fired = flags([centre.z(value) for value in values])
    smooth = ewma(values, centre, weight=number("ewma.weight", on), sigmas=number("ewma.sigmas", on))
    return [Charted(one, phase, said, average) for one, said, average in zip(series, fired, smooth, strict=True)]
