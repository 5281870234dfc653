"""Slice thickness from ramps: inclined wires or strips whose picture is as long as the slice is thick."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
from scipy import ndimage
from scipy.special import ndtr

from slipring.qc.image.bodies import Body
from slipring.qc.image.description import Description
from slipring.qc.image.pins import Pins
from slipring.qc.image.result import Measured, Region
from slipring.qc.image.section import Section
from slipring.qc.image.slice import Floats

_STEP_MM = 0.1
_BESIDE_MM = 30.0
_CLEAR_MM = (1.5, 4.0)  # from the ramp's side
_LONG = 5.0  # of the SD of the blur: longer ramps are seen as long as they are
_SHORTEST = 2.0
_HILL = 7.0  # of the SD of all blur: shorter ones are no longer as long at half height, whatever their profile
_TAKEN_BACK = 1.2  # of what twice the variance adds: within 5 % for triangles, 1 % for bells, nothing for boxes
_UNSURE = 0.05  # of the blur


def find_ramps(
    section: Section, claimed: Collection[Body], pins: Pins | None = None, description: Description | None = None
) -> list[Body]:
    """Two to six ramps; those claimed as something else aside. More are no ramps: pieces of a ring are many.

    Of thin slices a ramp is as short as wide, and only its described place beside the pins tells it from a rod.
    """
    if pins is not None and description is not None and "ramps" in description.phantoms[pins.phantom]:
        described = _at_places(section, pins, description.phantoms[pins.phantom]["ramps"])
        if len(described) == len(pins.places):
            return described
    ramps = [body for body in section.bodies if body not in claimed and _is_ramp(section, body)]
    return ramps if 2 <= len(ramps) <= 6 else []


def _at_places(section: Section, pins: Pins, told: Mapping[str, float]) -> list[Body]:
    """At each side of the square of pins the bright body nearest to the described place, lying along the side."""
    mm, found = section.image.spacing_mm, []
    mx, my = (sum(place[axis] for place in pins.places) / len(pins.places) for axis in (0, 1))
    for one, other in pins.sides():
        (ax, ay), (bx, by) = pins.places[one], pins.places[other]
        outwards = math.atan2((ay + by) / 2 - my, (ax + bx) / 2 - mx)
        x, y = mx + told["at_mm"] / mm * math.cos(outwards), my + told["at_mm"] / mm * math.sin(outwards)
        near = [
            body
            for body in section.bodies
            if body.contrast > max(40.0, 4 * section.noise)
            and body.short * mm < 6
            and math.hypot(body.x - x, body.y - y) * mm < told["within_mm"]
        ]
        if near:
            ramp = max(near, key=lambda body: body.contrast)
            found.append(replace(ramp, turn=math.atan2(by - ay, bx - ax)))
    return found


def measure_ramps(
    section: Section, description: Description, ramps: Collection[Body], blur_mm: float = 0.0
) -> list[Measured]:
    """Length of each ramp at half of its height x tan(rise), and the mean of the ramps.

    Opposed ramps make the mean right when the phantom leans. Half is between the background and the peak of the ramp.
    A short ramp is longer in the picture than it is: the blur in the plane (`blur_mm`, SD of a Gaussian) is taken off.
    """
    rise = math.tan(math.radians(description.ramps["rise_deg"]))
    # Reading between the pixels blurs once more, by a triangle of a pixel to both sides.
    blur_mm = math.hypot(blur_mm, section.image.spacing_mm / math.sqrt(6)) if blur_mm else 0.0
    lengths, regions, off = [], [], 0.0
    for ramp in ramps:
        length, region = _length(section, ramp, blur_mm)
        own = _without_blur(length, blur_mm) if length is not None else None
        if own is not None and length is not None:
            lengths.append(own * rise)
            regions.append(region)
            less = _without_blur(length, blur_mm * (1 + _UNSURE))
            off = max(off, abs(own - less) * rise if less is not None else own * rise)
    if not lengths:
        return []
    spread = float(np.std(lengths, ddof=1)) / math.sqrt(len(lengths)) if len(lengths) > 1 else None
    spread = math.hypot(spread, off) if spread is not None else None
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


def _without_blur(seen_mm: float, blur_mm: float) -> float | None:
    """The length of what is `seen_mm` long at half of its height after a Gaussian blur; None where the blur is all there is.

    Beyond four times the blur it is what is seen.
    """
    if blur_mm <= 0 or seen_mm > _LONG * blur_mm:
        return seen_mm
    lengths = np.arange(0.05, _LONG, 0.01)  # in units of the blur
    widths = np.array([_half_width(length) for length in lengths[::20]])
    found = float(np.interp(seen_mm / blur_mm, widths, lengths[::20], left=0.0))
    return found * blur_mm if found > _SHORTEST else None


def _half_width(length: float) -> float:
    """Full width at half maximum of a box of this length under a Gaussian of SD 1."""
    x = np.arange(0.0, 6.0, 0.005)
    height = ndtr(x + length / 2) - ndtr(x - length / 2)
    return 2 * float(np.interp(-height[0] / 2, -height, x))


def _length(section: Section, body: Body, blur_mm: float) -> tuple[float | None, Region]:
    """Along the ramp, pixels across summed: full width at half height in mm."""
    mm = section.image.spacing_mm
    half = (body.long * mm + _BESIDE_MM) / 2
    along = np.arange(-half, half + _STEP_MM / 2, _STEP_MM) / mm
    wide = max(1.0, body.short * mm * 0.5)
    across = np.arange(-wide, wide + 0.1, 0.25) / mm
    turn = body.turn
    # What surrounds the ramp is read beside it: along it, the tails of a profile without edges reach far.
    beside = (wide + np.arange(*_CLEAR_MM, 0.25)) / mm
    spread = np.concatenate([across, beside, -beside])
    columns = body.x + np.cos(turn) * along[:, None] - np.sin(turn) * spread
    rows = body.y + np.sin(turn) * along[:, None] + np.cos(turn) * spread
    read = ndimage.map_coordinates(section.image.hu, [rows, columns], order=1, mode="nearest")
    profile, ground = read[:, : len(across)].mean(axis=1), float(np.median(read[:, len(across) :]))
    height: Floats = (profile - ground) * (1 if body.contrast > 0 else -1)
    middle = len(along) // 2
    near = slice(max(0, middle - int(body.long * mm / _STEP_MM)), middle + int(body.long * mm / _STEP_MM))
    # A plateau is smoothed over the noise, a hill over no more than a fifth of its length.
    calm = max(_STEP_MM, 0.03 * body.long * mm) / _STEP_MM
    ends = _half_height(height, near, calm)
    if ends is None:
        return None, Region("line", ())
    length = ends[1] - ends[0]
    # Blur takes from the peak of a hill, and half of it lies further out: twice the variance says how much.
    blurred = math.hypot(blur_mm / _STEP_MM, calm)
    wider = _half_height(height, near, math.hypot(blurred, calm)) if length > _HILL * blurred else None
    if wider is not None:
        length -= _TAKEN_BACK * max(0.0, wider[1] - wider[0] - length)
    places = [along[0] + end * _STEP_MM / mm for end in ends]
    places = [(body.x + math.cos(turn) * at, body.y + math.sin(turn) * at) for at in places]
    return length * _STEP_MM, Region("line", tuple(places), label="ramp")


def _half_height(height: Floats, near: slice, sigma: float) -> tuple[float, float] | None:
    """Where a profile, smoothed, falls to half of its peak on both sides of it, in steps; None where it does not."""
    calm = ndimage.gaussian_filter1d(height, sigma)
    top = near.start + int(np.argmax(calm[near]))
    level = float(calm[top]) / 2
    ends = []
    for side in (calm[top::-1], calm[top:]):
        below = np.flatnonzero(side < level)
        if not below.size:
            return None
        after = int(below[0])
        ends.append(after - 1 + float((side[after - 1] - level) / (side[after - 1] - side[after])))
    return top - ends[0], top + ends[1]
