"""Modules of phantoms as they are sold, drawn finer than the pixels and blurred: discs, rods, wires, bars in a housing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from scipy.ndimage import gaussian_filter

from tests.support.phantoms import Phantom, as_dataset

_FINER = 3
CTP404 = {
    "air": -1000, "pmp": -200, "ldpe": -100, "polystyrene": -35, "acrylic": 120, "delrin": 340, "teflon": 990,
}  # fmt: skip
ACR = {"bone": 955, "polyethylene": -95, "air": -1000, "acrylic": 120}
ACR_BARS = (4, 5, 6, 7, 8, 9, 10, 12)


class Drawing:
    """A slice to draw into; lengths in mm, places from the phantom's middle, `roll` turns it as a whole."""

    def __init__(
        self, matrix: int = 400, field_mm: float = 230.0, centre: tuple[float, float] = (0.0, 0.0), roll: float = 0.0
    ) -> None:
        self.matrix, self.field_mm, self.step = matrix, field_mm, field_mm / matrix
        axis = (np.arange(matrix * _FINER) - (matrix * _FINER - 1) / 2) * self.step / _FINER
        x, y = np.meshgrid(axis - centre[0], axis - centre[1])
        turn = math.radians(roll)
        self.centre, self.turn = centre, turn
        self.x, self.y = x * math.cos(turn) + y * math.sin(turn), y * math.cos(turn) - x * math.sin(turn)
        self.hu = np.full(x.shape, -1000.0, np.float32)

    def disc(self, x: float, y: float, diameter: float, hu: float) -> Drawing:
        """A rod or insert."""
        at = self._window(x, y, diameter / 2 + 1)
        return self._laid(at, self._covered(diameter / 2 - np.hypot(self.x[at] - x, self.y[at] - y)), hu)

    def box(self, x: float, y: float, wide: float, high: float, hu: float) -> Drawing:
        """A bar or wire."""
        at = self._window(x, y, math.hypot(wide, high) / 2 + 1)
        across, along = wide / 2 - np.abs(self.x[at] - x), high / 2 - np.abs(self.y[at] - y)
        return self._laid(at, self._covered(across) * self._covered(along), hu)

    def _window(self, x: float, y: float, reach: float) -> tuple[slice, slice]:
        """The fine pixels around a place."""
        c, s = math.cos(self.turn), math.sin(self.turn)
        places = (y * c + x * s + self.centre[1], x * c - y * s + self.centre[0])
        finer = self.step / _FINER
        middles = [place / finer + (self.matrix * _FINER - 1) / 2 for place in places]
        rows, columns = (slice(max(0, int(at - reach / finer)), int(at + reach / finer) + 2) for at in middles)
        return rows, columns

    def _covered(self, inside_mm: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """How much of each fine pixel an edge leaves covered."""
        return np.clip(inside_mm * _FINER / self.step + 0.5, 0, 1)

    def _laid(self, at: tuple[slice, slice], share: np.ndarray[Any, Any], hu: float) -> Drawing:
        self.hu[at] += (share * (hu - self.hu[at])).astype(np.float32)
        return self

    def dataset(self, blur_mm: float = 0.7, noise_hu: float = 4.0, seed: int = 1, **stored: Any) -> Dataset:
        """Blurred, sampled, with correlated noise."""
        finer = gaussian_filter(self.hu, blur_mm / self.step * _FINER)
        image = finer.reshape(self.matrix, _FINER, self.matrix, _FINER).mean(axis=(1, 3))
        noise = Phantom(matrix=self.matrix, field_mm=self.field_mm, noise_hu=noise_hu, seed=seed).noise()
        return as_dataset(np.maximum(image + noise, -1024), self.step, **stored)


def around(count: int, radius: float, start_deg: float = 0.0) -> list[tuple[float, float]]:
    """Places on a circle."""
    angles = [math.radians(start_deg) + 2 * math.pi * n / count for n in range(count)]
    return [(radius * math.cos(angle), radius * math.sin(angle)) for angle in angles]


def housed(hu: float, **said: Any) -> Drawing:
    """A module of 150 mm in a housing of 200 mm."""
    return Drawing(**said).disc(0, 0, 200, 20).disc(0, 0, 150, hu)


def ctp404(thickness_mm: float = 2.5, pins_mm: float = 50.0, **said: Any) -> Drawing:
    """Seven inserts, four rods in a square, spheres in the middle, four ramps of 23 degrees."""
    drawing = housed(90, **said)
    for (x, y), hu in zip(around(8, 58.7), CTP404.values(), strict=False):
        drawing.disc(x, y, 12.2, hu)
    half, long = pins_mm / 2, thickness_mm / math.tan(math.radians(23))
    for x, y, hu in ((-half, -half, -1000), (half, -half, 990), (half, half, -1000), (-half, half, -1000)):
        drawing.disc(x, y, 3, hu)
    for (x, y), diameter in zip(around(5, 15), (2, 4, 6, 8, 10), strict=True):
        drawing.disc(x, y, diameter, 120)
    for at in (-38, 38):
        drawing.box(0, at, long, 0.8, 600).box(at, 0, 0.8, long, 600)
    return drawing


def acr_inserts(**said: Any) -> Drawing:
    """Module 1 of the ACR 464: four inserts of 25 mm and a hole for water."""
    drawing = Drawing(**said).disc(0, 0, 200, 2)
    for (x, y), hu in zip(around(4, 63, 45), ACR.values(), strict=True):
        drawing.disc(x, y, 25, hu)
    return drawing


def acr_low_contrast(**said: Any) -> Drawing:
    """Module 2: a rod of 25 mm, 6 HU above its surroundings."""
    return Drawing(**said).disc(0, 0, 200, 90).disc(-45, 45, 25, 96)


def acr_uniform(apart_mm: float = 100.0, **said: Any) -> Drawing:
    """Module 3: water-like, with two beads."""
    drawing = Drawing(**said).disc(0, 0, 200, 2)
    for sign in (1, -1):
        drawing.disc(sign * apart_mm / 2 * math.cos(0.7), sign * apart_mm / 2 * math.sin(0.7), 1.0, 5000)
    return drawing


def acr_bars(**said: Any) -> Drawing:
    """Module 4: eight patterns of 15 mm, line pairs per cm as in ACR_BARS."""
    drawing = Drawing(**said).disc(0, 0, 200, 2)
    for (x, y), pairs in zip(around(8, 70, 22.5), ACR_BARS, strict=True):
        drawing.box(x, y, 15, 15, 2)
        wide, count = 5 / pairs, round(15 / (10 / pairs))
        for number in range(count):
            drawing.box(x - 7.5 + (2 * number + 0.5) * wide, y, wide, 15, 1000)
    return drawing
