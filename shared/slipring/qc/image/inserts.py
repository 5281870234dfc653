"""CT numbers of the bodies in a section, and their names by the material with the nearest CT number."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from slipring.qc.image.bodies import Body
from slipring.qc.image.ellipse import Ellipse
from slipring.qc.image.outline import trace
from slipring.qc.image.result import Measured, disc_region
from slipring.qc.image.section import STANDS_OUT_HU, Section
from slipring.qc.image.slice import Disc, read_disc

_SMALLEST_MM = 4.0
_LARGEST_MM = 70.0
_INSIDE = 0.8  # of the diameter, as the standard's method for linearity says
_BLUR_MM = 2.0  # less where the blur of the edge would be in the disc
_ROUND = 0.05  # rms of the edge from its ellipse over the radius: that of a square is above 0.07
_CLEAR = 8.0  # times the noise: that of what is fainter is rough by noise alone
_APART = 1.8  # of its size, from an insert to the next that is like it: bars lie closer
_WIDER_MM = 18.0  # than any bar or group of bars: rods of 28 mm stand close in rings of eight


@dataclass(frozen=True, slots=True)
class Insert:
    """A round body with the ellipse of its edge."""

    body: Body
    edge: Ellipse


def find_inserts(section: Section, claimed: Collection[Body]) -> list[Insert]:
    """The round bodies of the size of inserts that are of one piece; those claimed as something else aside."""
    mm, noise = section.image.spacing_mm, section.noise
    found = []
    for body in section.bodies:
        if (
            body in claimed
            or body.at_wall
            or not body.round
            or abs(body.contrast) < STANDS_OUT_HU
            or not _SMALLEST_MM < body.long * mm < _LARGEST_MM
            or (body.long * mm < _WIDER_MM and _one_of_bars(section, body))
        ):
            continue
        inner = read_disc(section.image, Disc(body.x, body.y, 0.3 * body.short))
        if inner.count >= 5 and inner.sd > 4 * noise + 5:
            continue  # bars or holes, not one piece
        edge = trace(section.image.hu, body.x, body.y, body.long / 2, dark_outside=body.contrast > 0, body=True)
        rough = edge is not None and edge.residual > max(_ROUND * edge.radius, 0.35)
        if rough and abs(body.contrast) > _CLEAR * noise:
            continue
        if edge is None or abs(edge.x - body.x) + abs(edge.y - body.y) > body.long / 4:
            edge = Ellipse(body.x, body.y, body.long / 2, body.short / 2, body.turn)
        found.append(Insert(body, edge))
    return found


def _one_of_bars(section: Section, body: Body) -> bool:
    """Does another of its strength, length and width lie beside it, as bars and holes in rows do?"""
    return any(
        other is not body
        and body.contrast * other.contrast > 0
        and 0.5 < other.contrast / body.contrast < 2
        and 0.6 < other.long / body.long < 1.6
        and 0.6 < other.short / body.short < 1.6
        and math.hypot(other.x - body.x, other.y - body.y) < _APART * body.long
        for other in section.bodies
    )


def measure_inserts(
    section: Section, inserts: Collection[Insert], materials: Collection[Mapping[str, Any]]
) -> list[Measured]:
    """One value an insert, named; from the darkest to the brightest."""
    found: list[Measured] = []
    names: dict[str, int] = {}
    readings = []
    for insert in inserts:
        short = insert.edge.b
        radius = min(_INSIDE * short, max(short / 2, short - _BLUR_MM / section.image.spacing_mm))
        disc = Disc(insert.edge.x, insert.edge.y, radius)
        readings.append((read_disc(section.image, disc), disc))
    for reading, disc in sorted(readings, key=lambda pair: pair[0].mean):
        if reading.count < 5:
            continue
        material = _material(reading.mean, materials)
        name = str(material["name"]) if material else "other"
        names[name] = names.get(name, 0) + 1
        label = name if names[name] == 1 else f"{name}-{names[name]}"
        more = {"name": label, "sd": round(reading.sd, 4)}
        if material:
            more |= {"nominal_hu": material["hu"], "nominal_confidence": material["confidence"]}
        found.append(
            Measured(
                "insert", reading.mean, "HU", "mean of a disc of 80 % of the diameter, or 2 mm inside the edge",
                (disc_region(disc, label),), reading.mean_uncertainty, more,
            )
        )  # fmt: skip
    return [*found, *_linearity(found)]


def _material(hu: float, materials: Collection[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    near = [one for one in materials if abs(hu - one["hu"]) <= one["within"]]
    return min(near, key=lambda one: abs(hu - one["hu"])) if near else None


def _linearity(inserts: list[Measured]) -> list[Measured]:
    """The largest deviation from the nominal CT number, where at least three materials are there (WS 519: 4 or more)."""
    known = [one for one in inserts if "nominal_hu" in one.more and not one.more["name"][-1].isdigit()]
    if len(known) < 3:
        return []
    worst = max(known, key=lambda one: abs(one.value - one.more["nominal_hu"]))
    nominal = np.array([one.more["nominal_hu"] for one in known], float)
    measured = np.array([one.value for one in known])
    slope, offset = np.polyfit(nominal, measured, 1)
    correlation = float(np.corrcoef(nominal, measured)[0, 1])
    more = {
        "insert": worst.more["name"], "slope": round(float(slope), 5), "offset_hu": round(float(offset), 3),
        "correlation": round(correlation, 6),
    }  # fmt: skip
    return [
        Measured(
            "ct_number_linearity", worst.value - worst.more["nominal_hu"], "HU",
            "largest deviation of an insert from the nominal CT number of its material", worst.regions,
            worst.uncertainty, more,
        )
    ]  # fmt: skip
