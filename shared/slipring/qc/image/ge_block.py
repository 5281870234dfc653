"""The acrylic block of the GE quality assurance phantom: bar patterns and the rows of air holes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from slipring.qc.image.bar_groups import crossings
from slipring.qc.image.bodies import Body
from slipring.qc.image.description import Description
from slipring.qc.image.result import Measured, Region, disc_region
from slipring.qc.image.section import Section
from slipring.qc.image.slice import Disc, read_disc

_DROEGE_MORIN = math.pi * math.sqrt(2) / 2  # pi sqrt(2) / 4 over half of the contrast


@dataclass(frozen=True, slots=True)
class Block:
    """Where the block lies: the roll of the phantom, mirrored when it was scanned from its other end."""

    roll_deg: float
    mirrored: bool
    hole: Body
    claimed: tuple[Body, ...]
    described: dict[str, Any]

    def place(self, section: Section, at_mm: Sequence[float]) -> tuple[float, float]:
        """A described position in pixels of this image."""
        x, y = (-at_mm[0] if self.mirrored else at_mm[0]), at_mm[1]
        turn, mm = math.radians(self.roll_deg), section.image.spacing_mm
        edge = section.outline
        return (
            edge.x + (x * math.cos(turn) - y * math.sin(turn)) / mm,
            edge.y + (x * math.sin(turn) + y * math.cos(turn)) / mm,
        )


def find_block(section: Section, description: Description) -> Block | None:
    """The block, recognised by the phantom's diameter, the CT number of acrylic, the water hole and its bar patterns."""
    told = description.phantoms["ge-qa"]
    mm, edge = section.image.spacing_mm, section.outline
    low, high = told["block_hu"]
    if abs(2 * edge.radius * mm - told["diameter_mm"]) > told["diameter_within_mm"]:
        return None
    nominal = told["hole_at_mm"]
    holes = [
        body for body in section.bodies
        if body.round and body.contrast <= 0 and abs(body.long * mm - told["hole_diameter_mm"]) <= 4
        and abs(math.hypot(body.x - edge.x, body.y - edge.y) * mm - math.hypot(*nominal)) <= 4
    ]  # fmt: skip
    if not holes or not low < section.level < high:
        return None
    blocks = []
    for hole in holes:
        angle = math.atan2(hole.y - edge.y, hole.x - edge.x)
        for mirrored in (False, True):
            plain = math.atan2(nominal[1], -nominal[0] if mirrored else nominal[0])
            roll = math.remainder(math.degrees(angle - plain), 360)
            block = Block(roll, mirrored, hole, (), told)
            claimed = _claimed(section, block)
            if len(claimed) >= 3:
                blocks.append(Block(roll, mirrored, hole, claimed, told))
    # The bars lie so that a mirrored block has them in the places of a turned one, from the other end.
    return max(blocks, key=lambda block: _coarse_first(section, block), default=None)


def _coarse_first(section: Section, block: Block) -> tuple[int, float]:
    """How many rows of holes lie where they should, and how much larger what lies at the coarsest bars is than at the finest."""
    near = 10.0 / section.image.spacing_mm
    rows = [block.place(section, at) for at in block.described["rows_at_mm"]]
    held = sum(any(math.hypot(body.x - x, body.y - y) < near for body in block.claimed) for x, y in rows)
    ends = (block.place(section, block.described["bars_at_mm"][end]) for end in (0, -1))
    near = 7.0 / section.image.spacing_mm
    coarse, fine = (
        max((body.area for body in block.claimed if math.hypot(body.x - x, body.y - y) < near), default=0.0)
        for x, y in ends
    )
    return held, coarse - fine


def _claimed(section: Section, block: Block) -> tuple[Body, ...]:
    mm, told = section.image.spacing_mm, block.described
    places = [(*block.place(section, at), 7.0) for at in told["bars_at_mm"]]
    places += [(*block.place(section, at), 10.0) for at in told["rows_at_mm"]]
    return tuple(
        body for body in section.bodies if any(math.hypot(body.x - x, body.y - y) * mm < near for x, y, near in places)
    )


def measure_bars(section: Section, block: Block) -> list[Measured]:
    """Modulation of each bar pattern from the SD over its bars, after Droege and Morin (Med Phys 1982; 9: 758-760).

    M(f) = pi sqrt(2) / 4 x sqrt(SD² - noise²) / (|CT of bar - CT between| / 2), f = 1 / (2 x bar width); the two CT
    numbers are those of the block and of the water hole. Exact where the third harmonic has vanished.
    """
    mm, told = section.image.spacing_mm, block.described
    noise = section.noise
    water = read_disc(section.image, Disc(block.hole.x, block.hole.y, 0.35 * block.hole.short)).mean
    contrast = abs(section.level - water)
    found, regions, bars = [], [], []
    for width, at, span in zip(told["bars_mm"], told["bars_at_mm"], told["bars_span_mm"], strict=True):
        disc = _centred(section, *block.place(section, at), span / 2 / mm)
        reading = read_disc(section.image, disc)
        frequency = 1 / (2 * width)
        seen = math.sqrt(max(0.0, reading.sd**2 - noise**2))
        modulation = _DROEGE_MORIN * seen / contrast
        # What the noise alone would show: below this nothing is told.
        floor = _DROEGE_MORIN * noise * (2 * 4 / max(reading.count, 2)) ** 0.25 / contrast
        bars.append((frequency, modulation))
        regions.append(disc_region(disc, f"{width:g}"))
        found.append(
            {"bar_mm": width, "per_mm": round(frequency, 4), "modulation": round(modulation, 4),
             "floor": round(floor, 4), "seen": modulation > max(0.05, floor)}
        )  # fmt: skip
    seen_bars = [one for one in found if one["seen"]]
    if not seen_bars:
        return []
    finest = min(seen_bars, key=lambda one: one["bar_mm"])
    result = [
        Measured(
            "bar_patterns", 5.0 / finest["bar_mm"], "lp/cm", "finest bars with a modulation above 5 % and the noise",
            tuple(regions), None, {"bars": found, "contrast_hu": round(contrast, 2)},
        )
    ]  # fmt: skip
    return [*result, *crossings(bars, tuple(regions), "between the bar patterns (Droege and Morin)")]


def _centred(section: Section, x: float, y: float, radius: float) -> Disc:
    """Move a described place to the middle of what is there: within 2 mm."""
    top, left = section.box[0].start, section.box[1].start
    wide = int(radius * 1.5 + 3)
    rows = slice(max(0, int(y) - top - wide), int(y) - top + wide + 1)
    columns = slice(max(0, int(x) - left - wide), int(x) - left + wide + 1)
    dark = np.clip(-section.differs[rows, columns] - 15, 0, None)
    if dark.sum() <= 0:
        return Disc(x, y, radius)
    gy, gx = np.mgrid[rows, columns]
    cx, cy = float((gx * dark).sum() / dark.sum()) + left, float((gy * dark).sum() / dark.sum()) + top
    return Disc(cx, cy, radius) if math.hypot(cx - x, cy - y) * section.image.spacing_mm < 2 else Disc(x, y, radius)


def measure_rows(section: Section, block: Block) -> list[Measured]:
    """Slice thickness from the rows of air holes, each `row_step_mm` deeper along z than the one before.

    How dark a hole is tells how much of it the slice holds: the depths over the number of the hole are the slice
    profile, and its full width at half of its height is the slice thickness.
    """
    told, step = block.described, block.described["row_step_mm"]
    widths, regions = [], []
    for at in told["rows_at_mm"]:
        width, region = _row(section, block, at)
        if width is not None:
            widths.append(width * step)
            regions.append(region)
    if not widths:
        return []
    sure = abs(widths[0] - widths[-1]) / 2 if len(widths) > 1 else None
    return [
        Measured(
            "slice_thickness", float(np.mean(widths)), "mm", "rows of air holes, full width at half depth",
            tuple(regions), sure, {"each_mm": [round(width, 3) for width in widths]},
        )
    ]  # fmt: skip


def _row(section: Section, block: Block, at: Sequence[float]) -> tuple[float | None, Region]:
    told, mm = block.described, section.image.spacing_mm
    x, y = block.place(section, at)
    turn = math.radians(block.roll_deg)
    along = np.arange(-told["row_half_length_mm"], told["row_half_length_mm"], 0.1) / mm
    across = np.linspace(-told["row_half_width_mm"], told["row_half_width_mm"], 15) / mm
    columns = x + np.cos(turn) * across - np.sin(turn) * along[:, None]
    rows = y + np.sin(turn) * across + np.cos(turn) * along[:, None]
    profile = ndimage.map_coordinates(section.image.hu, [rows, columns], order=1, mode="nearest").mean(axis=1)
    ends = len(profile) // 8
    depth = float(np.median(np.r_[profile[:ends], profile[-ends:]])) - profile
    region = Region("line", ((float(columns[0, 7]), float(rows[0, 7])), (float(columns[-1, 7]), float(rows[-1, 7]))))
    pitch = told["row_pitch_mm"] / 0.1
    # The places of the holes: the comb of this pitch that meets the most depth.
    strongest = max(range(int(pitch)), key=lambda start: float(depth[start :: round(pitch)].sum()))
    holes = []
    for place in np.arange(strongest, len(depth), pitch):
        near = depth[max(0, int(place - pitch / 3)) : int(place + pitch / 3) + 1]
        holes.append(max(0.0, float(near.max())))
    return full_width(np.array(holes), section.noise), region


def full_width(heights: np.ndarray[Any, Any], noise: float) -> float | None:
    """Full width at half of the height of a profile with one hill, in steps; None where there is none."""
    if heights.size < 3 or heights.max() < 5 * noise:
        return None
    top = int(np.argmax(heights))
    high = np.sort(heights[max(0, top - 1) : top + 2])[-2:]
    half = float(high.mean()) / 2
    ends = []
    for side in (heights[top::-1], heights[top:]):
        below = np.flatnonzero(side < half)
        if not below.size:
            return None
        after = int(below[0])
        ends.append(after - 1 + float((side[after - 1] - half) / (side[after - 1] - side[after])))
    return sum(ends)
