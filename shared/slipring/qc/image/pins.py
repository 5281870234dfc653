"""Geometric accuracy: the distance between pins or beads whose places are known, and which phantom they tell."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from slipring.qc.image.bodies import Body
from slipring.qc.image.description import Description
from slipring.qc.image.inserts import Insert
from slipring.qc.image.result import Measured, Region
from slipring.qc.image.section import Section
from slipring.qc.image.slice import Floats

_LEAST_HU = 80.0
_WIDEST_MM = 4.6
_CENTRED_MM = 6.0
_SQUARE_MM = 2.0  # between the middles of the two diagonals, and between their lengths
_AROUND_MM = 2.5
_ALIKE = 2.0  # pixels of correlated noise that count as one, along each direction, root of
_MOST = 40


@dataclass(frozen=True, slots=True)
class Pins:
    """Pins at described distances: their middles in pixels with how sure each is, and the phantom they belong to."""

    phantom: str
    places: tuple[tuple[float, float], ...]
    sure: float
    apart_mm: float

    def sides(self) -> list[tuple[int, int]]:
        """Which of them are neighbours."""
        count = len(self.places)
        return [(0, 1)] if count == 2 else [(one, (one + 1) % count) for one in range(count)]


def find_pins(section: Section, description: Description) -> Pins | None:
    """The first described arrangement that is there."""
    mm, told = section.image.spacing_mm, description.phantoms
    least = max(_LEAST_HU, 8 * section.noise)
    small = [
        body
        for body in section.bodies
        if body.long * mm < _WIDEST_MM and body.round and not body.at_wall and abs(body.contrast) > least
    ]
    small = sorted(small, key=lambda body: -abs(body.contrast))[:_MOST]
    for name, phantom in told.items():
        pins = phantom.get("pins")
        if pins is None:
            continue
        pick = _square if pins["count"] == 4 else _pair
        chosen = pick(section, small, pins["apart_mm"] / mm, pins["within_mm"] / mm)
        if chosen:
            middles = [_middle(section, body) for body in chosen]
            sure = math.sqrt(float(np.mean([one[2] ** 2 for one in middles])))
            return Pins(name, tuple((x, y) for x, y, _ in middles), sure, pins["apart_mm"])
    return None


def measure_pins(section: Section, pins: Pins | None) -> list[Measured]:
    """The mean distance of neighbours; each, and the largest deviation from the described one, beside it."""
    if pins is None:
        return []
    mm, sides = section.image.spacing_mm, pins.sides()
    each = [math.dist(pins.places[one], pins.places[other]) * mm for one, other in sides]
    worst = max((length - pins.apart_mm for length in each), key=abs)
    sure = math.sqrt(2 / len(each)) * pins.sure * mm
    lines = tuple(Region("line", (pins.places[one], pins.places[other]), label="pins") for one, other in sides)
    more = {
        "each_mm": [round(length, 3) for length in each], "nominal_mm": pins.apart_mm, "deviation_mm": round(worst, 3),
        "each_uncertainty_mm": round(math.sqrt(2) * pins.sure * mm, 4),
    }  # fmt: skip
    how = f"mean distance of neighbouring pins or beads, centres of gravity ({pins.phantom})"
    return [Measured("pin_distance", float(np.mean(each)), "mm", how, lines, sure, more)]


def told_by_inserts(
    section: Section, inserts: Collection[Insert], description: Description
) -> tuple[str | None, list[Insert]]:
    """The phantom whose inserts these are, by their size and distance from the middle; and which of them are inserts."""
    mm, edge = section.image.spacing_mm, section.outline
    for name, phantom in description.phantoms.items():
        told = phantom.get("inserts")
        if told is None:
            continue
        fitting = [
            one
            for one in inserts
            if abs(2 * one.edge.radius * mm - told["diameter_mm"]) < told["within_mm"]
            and abs(math.hypot(one.edge.x - edge.x, one.edge.y - edge.y) * mm - told["at_mm"]) < told["at_within_mm"]
        ]
        if len(fitting) >= told["fewest"]:
            return name, fitting if told.get("alone") else list(inserts)
    return None, list(inserts)


def _pair(section: Section, small: Sequence[Body], apart: float, within: float) -> list[Body] | None:
    """The two strongest of their kind, about the middle."""
    for one, other in combinations(small, 2):
        if abs(math.dist((one.x, one.y), (other.x, other.y)) - apart) < within and _centred(section, one, other):
            alike = 0.5 < one.contrast / other.contrast < 2
            return [one, other] if alike else None
    return None


def _square(section: Section, small: Sequence[Body], apart: float, within: float) -> list[Body] | None:
    loose = _SQUARE_MM / section.image.spacing_mm
    diagonals = [
        (one, other, math.dist((one.x, one.y), (other.x, other.y)))
        for one, other in combinations(small, 2)
        if _centred(section, one, other)
    ]
    diagonals = [each for each in diagonals if abs(each[2] - math.sqrt(2) * apart) < math.sqrt(2) * within]
    for (a, c, first), (b, d, second) in combinations(diagonals, 2):
        aside = math.hypot(a.x + c.x - b.x - d.x, a.y + c.y - b.y - d.y) / 2
        across = abs((c.x - a.x) * (d.x - b.x) + (c.y - a.y) * (d.y - b.y)) / (first * second)
        if aside < loose and abs(first - second) < loose and across < 0.1:
            return [a, b, c, d]
    return None


def _centred(section: Section, one: Body, other: Body) -> bool:
    edge = section.outline
    away = math.hypot((one.x + other.x) / 2 - edge.x, (one.y + other.y) / 2 - edge.y)
    return away * section.image.spacing_mm < _CENTRED_MM


def _middle(section: Section, body: Body) -> tuple[float, float, float]:
    """Centre of gravity of what a pin adds to its surroundings, and its standard uncertainty from the noise; pixels."""
    mm = section.image.spacing_mm
    wide = body.long / 2 + _AROUND_MM / mm
    reach = math.ceil(2 * wide)
    rows, columns = (slice(max(0, int(at) - reach), int(at) + reach + 2) for at in (body.y, body.x))
    hu = section.image.hu[rows, columns].astype(np.float64)
    y, x = np.mgrid[rows.start : rows.start + hu.shape[0], columns.start : columns.start + hu.shape[1]].astype(float)
    r: Floats = np.hypot(x - body.x, y - body.y)
    added = hu - float(np.median(hu[(r > wide) & (r < 2 * wide)]))
    near = r < wide
    total = float(added[near].sum())
    mx, my = (float((axis[near] * added[near]).sum()) / total for axis in (x, y))
    moment = float(((x[near] - body.x) ** 2).sum())
    return mx, my, _ALIKE * section.noise * math.sqrt(moment) / abs(total)
