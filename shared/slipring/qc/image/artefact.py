"""Rings and streaks in water: what is left after the cupping is taken away, averaged along circles and along lines."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from scipy import ndimage

from slipring.qc.image.bodies import Body
from slipring.qc.image.grids import in_blocks
from slipring.qc.image.result import Measured, Region, disc_region
from slipring.qc.image.section import Section
from slipring.qc.image.slice import Disc, Floats, Mask, Pixels, Places, read_disc

_COARSE_MM = 2.0
_NO_ARTEFACT_HU = 150.0  # what stands out more is in the phantom
_TAILS_MM = 3.0
_ON_AXIS_MM = 2.0
_WIDEST_SPOT_MM = 12.0
_DIRECTIONS = math.pi * np.arange(72) / 72
_NORMALS = np.stack([np.cos(_DIRECTIONS), np.sin(_DIRECTIONS)], axis=1).astype(np.float32)


def measure_artefacts(section: Section, ramps: Collection[Body]) -> list[Measured]:
    """The strongest ring about the axis of rotation and the strongest straight streak, HU, with how many sigmas each is."""
    rows, columns = section.box
    y, x = np.ogrid[rows, columns]
    within = section.scaled < section.inner * 0.95
    for body in section.bodies:
        if body.round or body in ramps or abs(body.contrast) > _NO_ARTEFACT_HU:
            # Corners, and the tails of the blur, are body too.
            reach = body.long / 2 + 3 if body.round else 0.75 * body.long
            strong = _TAILS_MM / section.image.spacing_mm if abs(body.contrast) > _NO_ARTEFACT_HU else 0.0
            within &= (x - body.x) ** 2 + (y - body.y) ** 2 > (reach + strong) ** 2
    places = np.flatnonzero(within)
    if places.size < 2000:
        return []
    residue = (section.image.hu[rows, columns] - section.filling).take(places)
    residue -= residue.mean(dtype=np.float64)
    ax, ay = axis_of_rotation(section)
    far = ((x - ax) ** 2 + (y - ay) ** 2).take(places)
    ring, without = _ring(residue, np.sqrt(far, out=far).astype(np.intp), (ax, ay))
    grid = np.zeros(within.shape, np.float32)
    grid.ravel()[places] = without
    return [*ring, *_streak(section, grid, within)]


def axis_of_rotation(section: Section) -> tuple[float, float]:
    """In pixels: where patient x and y are 0, if that is within the image; else the middle of the image."""
    rows, columns = section.image.shape
    if section.image.origin_mm is not None:
        x, y = (-start / section.image.spacing_mm for start in section.image.origin_mm)
        y /= section.image.down
        if 0 < x < columns - 1 and 0 < y < rows - 1:
            return x, y
    return (columns - 1) / 2, (rows - 1) / 2


def spot_on_axis(section: Section) -> Body | None:
    """A faint spot where the axis of rotation passes, alone in the phantom: the innermost ring, and no rod."""
    if len(section.bodies) != 1:
        return None
    body, (ax, ay), mm = section.bodies[0], axis_of_rotation(section), section.image.spacing_mm
    near = math.hypot(body.x - ax, body.y - ay) * mm < _ON_AXIS_MM
    faint = abs(body.contrast) <= _NO_ARTEFACT_HU and body.long * mm < _WIDEST_SPOT_MM
    return body if near and faint and body.round else None


def measure_spot(section: Section, spot: Body) -> Measured:
    """The mean of its middle minus that of what surrounds it."""
    disc = Disc(spot.x, spot.y, max(2.0, 0.35 * spot.long))
    inner, outer = read_disc(section.image, disc), read_disc(section.image, disc.shrunk(4 * disc.radius))
    share = outer.count / max(1, outer.count - inner.count)
    value = (inner.mean - outer.mean) * share
    sure = math.hypot(inner.mean_uncertainty, outer.mean_uncertainty)
    return Measured(
        "ring", value, "HU", "spot on the axis of rotation, minus its surroundings", (disc_region(disc, "ring"),),
        sure, {"sigmas": round(abs(value) / max(sure, 1e-9), 2)},
    )  # fmt: skip


def _ring(residue: Pixels, r: Places, axis: tuple[float, float]) -> tuple[list[Measured], Pixels]:
    """Mean over each circle of one pixel's width, `r` about the axis, against that of its neighbours; and the residue without rings."""
    count = np.bincount(r)
    mean = np.bincount(r, residue) / np.maximum(count, 1)
    stands_out = mean - ndimage.median_filter(mean, 15)
    usual = np.sqrt(np.maximum(count, 1))
    shown = (count > 40) & (np.arange(len(count)) > 4)
    if shown.sum() < 20:
        return [], residue
    # The unit is the robust spread of all circles, so that correlated noise needs no model.
    unit = 1.4826 * float(np.median(np.abs((stands_out * usual)[shown])))
    sigmas = np.where(shown, np.abs(stands_out) * usual / max(unit, 1e-9), 0)
    worst = int(np.argmax(sigmas))
    region = disc_region(Disc(*axis, worst + 0.5), "ring")
    return [
        Measured(
            "ring", float(stands_out[worst]), "HU", "mean along a circle about the axis of rotation, minus its neighbours",
            (region,), unit / float(usual[worst]), {"sigmas": round(float(sigmas[worst]), 2)},
        )
    ], residue - stands_out.astype(np.float32).take(r)  # fmt: skip


def _streak(section: Section, residue: Pixels, within: Mask) -> list[Measured]:
    """Mean along straight lines in all directions on a coarser grid; the residue is 0 where it is not `within`."""
    step = max(1, round(_COARSE_MM / section.image.spacing_mm))
    weight = in_blocks(within.astype(np.float32), step)
    rows, columns = np.nonzero(weight > step * step / 2)
    weights, totals = (grid[rows, columns].astype(np.float64) for grid in (weight, in_blocks(residue, step)))
    my, mx = rows.mean(), columns.mean()
    right, down = (columns - mx).astype(np.float32), (rows - my).astype(np.float32)
    half_way = math.ceil(float(np.hypot(right, down).max()))
    wide = 2 * half_way + 1
    held, mean = np.empty((len(_DIRECTIONS), wide)), np.empty((len(_DIRECTIONS), wide))
    # Direction by direction: what is worked on stays small.
    for turn, (c, s) in enumerate(_NORMALS):
        numbered = (c * right + s * down + np.float32(half_way + 0.5)).astype(np.intp)
        held[turn], mean[turn] = np.bincount(numbered, weights, wide), np.bincount(numbered, totals, wide)
    mean /= np.maximum(held, 1)
    direction, line = np.nonzero(held > 0.4 * held.max(axis=1, keepdims=True))
    # Of each line that is long enough: its number from the middle, what stands out along it, the root of its pixels.
    numbers, angles = line - half_way, _DIRECTIONS[direction]
    values = (mean - _beside(mean, 4))[direction, line]
    usual = np.sqrt(held[direction, line])
    scores = np.abs(values * usual)
    unit = 1.4826 * float(np.median(scores))
    worst = int(np.argmax(scores))
    value, angle, at, score = float(values[worst]), float(angles[worst]), int(numbers[worst]), float(scores[worst])
    half = math.sqrt(max(0.0, (section.inner_radius / step) ** 2 - at**2))
    ends = []
    for along in (-half, half):
        px = mx + at * math.cos(angle) - along * math.sin(angle)
        py = my + at * math.sin(angle) + along * math.cos(angle)
        ends.append((section.box[1].start + (px + 0.5) * step, section.box[0].start + (py + 0.5) * step))
    sigmas = score / max(unit, 1e-9)
    return [
        Measured(
            "streak", value, "HU", "mean along a straight line through the water, minus its neighbours",
            (Region("line", tuple(ends), label="streak"),), abs(value) / max(sigmas, 1e-9), {"sigmas": round(sigmas, 2)},
        )
    ]  # fmt: skip


def _beside(lines: Floats, reach: int) -> Floats:
    """The median of each value and `reach` neighbours on both sides of it in its row."""
    padded = np.pad(lines, ((0, 0), (reach, reach)), mode="symmetric")
    # As one long row: the ends of rows are met within the padding alone.
    medians: Floats = ndimage.median_filter(padded.ravel(), 2 * reach + 1).reshape(padded.shape)
    return medians[:, reach:-reach]
