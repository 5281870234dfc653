"""The noise power spectrum of the water, and what it says about means."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.fft import fft2
from scipy.special import j1

from slipring.qc.image.result import Region
from slipring.qc.image.section import Section
from slipring.qc.image.slice import Floats, Places


@dataclass(frozen=True, slots=True)
class NoisePower:
    """Variance (HU²) in rings of spatial frequency (1/pixel): together the variance of the block."""

    frequency: Floats
    variance: Floats
    regions: tuple[Region, ...] = ()  # where it was taken

    def sd_of_disc_means(self, diameter: float) -> float:
        """SD of the mean over a disc, moved about in noise like this; diameter in pixels, HU."""
        f = np.maximum(self.frequency * math.pi * diameter, 1e-9)
        return math.sqrt(float((self.variance * (2 * j1(f) / f) ** 2).sum()))


def noise_power(block: Floats, regions: tuple[Region, ...] = ()) -> NoisePower:
    """The power spectrum of a block whose mean is 0, summed over directions."""
    rows, columns = block.shape
    power = np.abs(fft2(block, workers=1)) ** 2 / (rows * columns) ** 2
    power[0, 0] = 0.0
    ring, middle = _rings(rows, columns)
    return NoisePower(middle, np.bincount(ring, power.ravel()).astype(np.float64), regions)


@lru_cache(maxsize=4)
def _rings(rows: int, columns: int) -> tuple[Places, Floats]:
    """The ring that each frequency of a block belongs to, and the mean frequency of each: the same for all images of a series."""
    f = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.fftfreq(columns)).ravel()
    ring = np.round(f * max(rows, columns) * 2).astype(np.intp)
    return ring, np.bincount(ring, f) / np.maximum(np.bincount(ring), 1)


def noise_of_filling(section: Section) -> NoisePower | None:
    """Of the largest square of nothing but filling about the middle, without its cupping; None where there is none."""
    edge, half = section.outline, int(0.55 * section.inner_radius)
    cx, cy = round(edge.x), round(edge.y)
    left, top = cx - section.box[1].start, cy - section.box[0].start
    if half < 20 or section.marked[top - half : top + half, left - half : left + half].sum() > 3:
        return None
    block = section.image.hu[cy - half : cy + half, cx - half : cx + half].astype(np.float64)
    filling = section.filling[top - half : top + half, left - half : left + half]
    corners = tuple((float(cx + sx * half), float(cy + sy * half)) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1)))
    flat = block - filling
    return noise_power(flat - flat.mean(), (Region("box", corners, label="low contrast"),))
