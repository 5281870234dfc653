"""Slice thickness from ramps: inclined wires or strips whose picture is as long as the slice is thick."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from scipy import ndimage

from slipring.qc.image.bodies import Body
from slipring.qc.image.description import Description
from slipring.qc.image.result import Measured, Region
from slipring.qc.image.section import Section
from slipring.qc.image.slice import Floats

_STEP_MM = 0.1
_BESIDE_MM = 30.0


def find_ramps(section: Section, claimed: Collection[Body]) -> list[Body]:
    """Two to six ramps; those claimed as something else aside. More are no ramps: pieces of a ring are many."""
    ramps = [body for body in section.bodies if body not in claimed and _is_ramp(section, body)]
    return ramps if 2 <= len(ramps) <= 6 else []


def measure_ramps(section: Section, description: Description, ramps: Collection[Body]) -> list[Measured]:
    """Length of each ramp at half of its height x tan(rise), and the mean of the ramps.

    Opposed ramps make the mean right when the phantom leans. Half is between the background and the peak of the ramp.
    """
    rise = math.tan(math.radians(description.ramps["rise_deg"]))
    lengths, regions = [], []
    for ramp in ramps:
        length, region = _length(section, ramp)
        if length is not None:
            lengths.append(length * rise)
            regions.append(region)
    if not lengths:
        return []
    spread = float(np.std(lengths, ddof=1)) / math.sqrt(len(lengths)) if len(lengths) > 1 else None
    more = {"each_mm": [round(length, 3) for length in lengths], "rise_deg": description.ramps["rise_deg"]}
    method = f"ramps of {description.ramps['rise_deg']:g} degrees, full width at half height"
    return [Measured("slice_thickness", float(np.mean(lengths)), "mm", method, tuple(regions), spread, more)]


def _is_ramp(section: Section, body: Body) -> bool:
    """Long, thin, straight, free of the wall, and across the direction to the middle (as ramps are arranged)."""
    mm = section.image.spacing_mm
    if body.at_wall or body.fill < 0.7 or body.short * mm > 6 or body.long < 1.8 * body.short + 1:
        return False
    if body.long * mm < 3 or abs(body.contrast) < max(40.0, 4 * section.noise):
        return False
    dx, dy = body.x - section.outline.x, body.y - section.outline.y
    away = math.hypot(dx, dy)
    across = abs(dx * math.cos(body.turn) + dy * math.sin(body.turn)) / max(away, 1.0)
    return away * mm > 10 and across < 0.5


def _length(section: Section, body: Body) -> tuple[float | None, Region]:
    """Along the ramp, pixels across summed: full width at half height in mm."""
    mm = section.image.spacing_mm
    half = (body.long * mm + _BESIDE_MM) / 2
    along = np.arange(-half, half + _STEP_MM / 2, _STEP_MM) / mm
    wide = max(1.0, body.short * mm * 0.5)
    across = np.arange(-wide, wide + 0.1, 0.25) / mm
    turn = body.turn
    columns = body.x + np.cos(turn) * along[:, None] - np.sin(turn) * across
    rows = body.y + np.sin(turn) * along[:, None] + np.cos(turn) * across
    profile = ndimage.map_coordinates(section.image.hu, [rows, columns], order=1, mode="nearest").mean(axis=1)
    height: Floats = (profile - np.median(profile)) * (1 if body.contrast > 0 else -1)
    middle = len(along) // 2
    near = slice(max(0, middle - int(body.long * mm / _STEP_MM)), middle + int(body.long * mm / _STEP_MM))
    # A plateau is smoothed over the noise, a hill over no more than a fifth of its length.
    calm = ndimage.gaussian_filter1d(height, max(1.0, 0.03 * body.long * mm / _STEP_MM))
    top = near.start + int(np.argmax(calm[near]))
    level = float(calm[top]) / 2
    ends = []
    for side in (calm[top::-1], calm[top:]):
        below = np.flatnonzero(side < level)
        if not below.size:
            return None, Region("line", ())
        after = int(below[0])
        ends.append((after - 1 + float((side[after - 1] - level) / (side[after - 1] - side[after]))) * _STEP_MM)
    start, stop = along[top] - ends[0] / mm, along[top] + ends[1] / mm
    places = [(body.x + math.cos(turn) * at, body.y + math.sin(turn) * at) for at in (start, stop)]
    return sum(ends), Region("line", tuple(places), label="ramp")
