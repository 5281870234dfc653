"""Where a section lets the modulation transfer function be measured, and which of them counts."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from slipring.qc.image.bodies import Body
from slipring.qc.image.curve import Transfer
from slipring.qc.image.edge_spread import of_edge
from slipring.qc.image.ellipse import Ellipse
from slipring.qc.image.inserts import Insert
from slipring.qc.image.section import Section
from slipring.qc.image.wire import of_wire

_WIDEST_MM = 6.0
_THICK_ENOUGH_MM = 3.9
_LEAST_CONTRAST_HU = 50.0
_INNER_FACE = 0.25  # of the value, for a wall without thickness
_SIGMA = math.sqrt(math.log(2) / 2) / math.pi  # of a Gaussian blur, times its MTF50
_NARROW = 0.92  # of the MTF50 of the surest edge


def transfers(section: Section, inserts: Collection[Insert], ramps: Collection[Body] = ()) -> list[Transfer]:
    """All that the section gives, the best first: a wire that is no ramp, then the edge with the smallest uncertainty."""
    mm = section.image.spacing_mm
    slanted = {(ramp.x, ramp.y) for ramp in ramps}
    upright = (body for body in section.bodies if (body.x, body.y) not in slanted)
    wires = [wire for body in upright if (wire := of_wire(section, body)) is not None]
    edges = []
    parts = ndimage.label(section.marked)[0] if inserts else np.zeros((1, 1), np.intp)
    for insert in inserts:
        radius = insert.edge.radius
        if radius * mm < 4 or abs(insert.body.contrast) < _LEAST_CONTRAST_HU:
            continue
        room = min(_WIDEST_MM / mm, 0.8 * radius, _gap(section, insert.edge, parts))
        edges.append(of_edge(section, insert.edge, room, room, "edge of an insert"))
    wall = section.outline.radius * (1 - section.inner)
    room = min(_WIDEST_MM / mm, max(2.0, 0.8 * wall) if wall > 0.5 else _WIDEST_MM / mm)
    # Across a thin wall only the outer half is the edge's own.
    outer = room if room * mm > _THICK_ENOUGH_MM else max(3.0, _WIDEST_MM / mm)
    if not section.image.cut_off:
        edges.append(_thin(of_edge(section, section.outline, room, outer, "edge of the phantom"), wall * mm))
    good = [edge for edge in edges if edge is not None and edge.sure50 < 0.1 * edge.mtf50]
    # A rod or sphere that is wide against the blur gives less than every edge does: it is no wire.
    if good:
        surest = min(good, key=lambda one: one.sure50 / one.mtf50)
        wires = [one for one in wires if one.mtf50 + 2 * one.sure50 > _NARROW * (surest.mtf50 - 2 * surest.sure50)]
    # Wires, then inserts, where they are sure: an outline is off the axis, and a leaning phantom blurs it.
    order = ("wire or bead", "edge of an insert", "edge of the phantom")
    return sorted([*wires, *good], key=lambda one: (one.sure50 > 0.04 * one.mtf50, order.index(one.method), one.sure50))


def _thin(edge: Transfer | None, wall_mm: float) -> Transfer | None:
    """The inner face of a wall that is thin against the blur is in the picture of its outer one: less sure."""
    if edge is None or wall_mm * edge.mtf50 < 0.1:
        return edge
    share = _INNER_FACE * math.exp(-((wall_mm * edge.mtf50 / _SIGMA) ** 2) / 8)
    more = math.hypot(edge.sure50, share * edge.mtf50), math.hypot(edge.sure10, share * (edge.mtf10 or 0.0))
    return replace(edge, sure50=more[0], sure10=more[1])


def _gap(section: Section, edge: Ellipse, parts: npt.NDArray[np.intp]) -> float:
    """From an insert's edge to the nearest other body, pixels; a part of it, so that no blur of the other is met."""
    top, left = section.box[0].start, section.box[1].start
    own = parts[round(edge.y) - top, round(edge.x) - left]
    y, x = np.divmod(np.flatnonzero((parts > 0) & (parts != own)), parts.shape[1])
    far = np.hypot(x + left - edge.x, y + top - edge.y) - edge.a
    return 0.7 * float(far.min()) if far.size else math.inf
