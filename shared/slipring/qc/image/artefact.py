"""Rings and streaks in water: what is left after the cupping is taken away, averaged along circles and along lines."""

from __future__ import annotations

import math
from collections.abc import Collection

import numpy as np
from scipy import ndimage

from slipring.qc.image.bodies import Body
from slipring.qc.image.result import Measured, Region, disc_region
from slipring.qc.image.section import Section
from slipring.qc.image.slice import Disc, Floats, Mask, in_blocks

_COARSE_MM = 2.0
_NO_ARTEFACT_HU = 150.0  # what stands out more is in the phantom
_TAILS_MM = 3.0
_DIRECTIONS = math.pi * np.arange(72) / 72


def measure_artefacts(section: Section, ramps: Collection[Body]) -> list[Measured]:
    """The strongest ring about the axis of rotation and the strongest straight streak, HU, with how many sigmas each is."""
    rows, columns = section.box
    residue = section.image.hu[rows, columns].astype(np.float64) - section.filling
    y, x = np.ogrid[rows, columns]
    within = section.scaled < section.inner * 0.95
    for body in section.bodies:
        if body.round or body in ramps or abs(body.contrast) > _NO_ARTEFACT_HU:
            # Corners, and the tails of the blur, are body too.
            reach = body.long / 2 + 3 if body.round else 0.75 * body.long
            strong = _TAILS_MM / section.image.spacing_mm if abs(body.contrast) > _NO_ARTEFACT_HU else 0.0
            within &= (x - body.x) ** 2 + (y - body.y) ** 2 > (reach + strong) ** 2
    if within.sum() < 2000:
        return []
    residue = np.where(within, residue - residue[within].mean(), 0.0)
    ring, without = _ring(section, residue, within, x, y)
    return [*ring, *_streak(section, without, within)]


def axis_of_rotation(section: Section) -> tuple[float, float]:
    """In pixels: where patient x and y are 0, if that is within the image; else the middle of the image."""
    rows, columns = section.image.shape
    if section.image.origin_mm is not None:
        x, y = (-start / section.image.spacing_mm for start in section.image.origin_mm)
        y /= section.image.down
        if 0 < x < columns - 1 and 0 < y < rows - 1:
            return x, y
    return (columns - 1) / 2, (rows - 1) / 2


def _ring(section: Section, residue: Floats, within: Mask, x: Floats, y: Floats) -> tuple[list[Measured], Floats]:
    """Mean over each circle of one pixel's width, against the mean of its neighbours; and the image without rings."""
    ax, ay = axis_of_rotation(section)
    r = np.sqrt(((x - ax) ** 2 + (y - ay) ** 2)[within]).astype(int)
    count = np.bincount(r)
    mean = np.bincount(r, residue[within]) / np.maximum(count, 1)
    stands_out = mean - ndimage.median_filter(mean, 15)
    usual = np.sqrt(np.maximum(count, 1))
    shown = (count > 40) & (np.arange(len(count)) > 4)
    if shown.sum() < 20:
        return [], residue
    # The unit is the robust spread of all circles, so that correlated noise needs no model.
    unit = 1.4826 * float(np.median(np.abs((stands_out * usual)[shown])))
    sigmas = np.where(shown, np.abs(stands_out) * usual / max(unit, 1e-9), 0)
    worst = int(np.argmax(sigmas))
    without = residue.copy()
    without[within] -= stands_out[r]
    region = disc_region(Disc(ax, ay, worst + 0.5), "ring")
    return [
        Measured(
            "ring", float(stands_out[worst]), "HU", "mean along a circle about the axis of rotation, minus its neighbours",
            (region,), unit / float(usual[worst]), {"sigmas": round(float(sigmas[worst]), 2)},
        )
    ], without  # fmt: skip


def _streak(section: Section, residue: Floats, within: Mask) -> list[Measured]:
    """Mean along straight lines in all directions on a coarser grid."""
    step = max(1, round(_COARSE_MM / section.image.spacing_mm))
    weight, total = in_blocks(within.astype(np.float64), step), in_blocks(residue, step)
    rows, columns = np.nonzero(weight > step * step / 2)
    weights, totals = weight[rows, columns], total[rows, columns]
    my, mx = rows.mean(), columns.mean()
    # The number of the line that each cell lies on, for all directions at once.
    right, down = (columns - mx).astype(np.float32), (rows - my).astype(np.float32)
    c, s = (part.astype(np.float32)[:, None] for part in (np.cos(_DIRECTIONS), np.sin(_DIRECTIONS)))
    half_way = math.ceil(float(np.hypot(right, down).max()))
    numbered, wide = (c * right + s * down + np.float32(half_way + 0.5)).astype(np.intp), 2 * half_way + 1
    held = np.stack([np.bincount(line, weights, wide) for line in numbered])
    mean = np.stack([np.bincount(line, totals, wide) for line in numbered]) / np.maximum(held, 1)
    direction, line = np.nonzero(held > 0.4 * held.max(axis=1, keepdims=True))
    # Of each line that is long enough: its number from the middle, what stands out along it, the root of its pixels.
    numbers, angles = line - half_way, _DIRECTIONS[direction]
    values = (mean - ndimage.median_filter(mean, (1, 9)))[direction, line]
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
