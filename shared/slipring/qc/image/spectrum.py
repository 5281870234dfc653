"""The noise power spectrum of the water, and what it says about means."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import j1

from slipring.qc.image.result import Region
from slipring.qc.image.section import Section
from slipring.qc.image.slice import Floats


def sd_of_disc_means(block: Floats, diameter: float) -> float:
    """SD of the mean over a disc, moved about in noise like this block's; pixels, HU."""
    rows, columns = block.shape
    power = np.abs(np.fft.fft2(block)) ** 2 / (rows * columns) ** 2
    power[0, 0] = 0.0
    f = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)) * math.pi * diameter
    with np.errstate(divide="ignore", invalid="ignore"):
        passed = np.where(f > 0, 2 * j1(f) / f, 1.0)
    return math.sqrt(float((power * passed**2).sum()))


def noise_square(section: Section) -> tuple[Floats, Region] | None:
    """The largest square of nothing but filling about the middle, without its cupping."""
    edge, half = section.outline, int(0.55 * section.inner_radius)
    cx, cy = round(edge.x), round(edge.y)
    left, top = cx - section.box[1].start, cy - section.box[0].start
    if half < 20 or section.marked[top - half : top + half, left - half : left + half].sum() > 3:
        return None
    block = section.image.hu[cy - half : cy + half, cx - half : cx + half].astype(np.float64)
    filling = section.filling[top - half : top + half, left - half : left + half]
    corners = tuple((float(cx + sx * half), float(cy + sy * half)) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)))
    flat = block - filling
    return flat - flat.mean(), Region("box", corners, label="low contrast")
