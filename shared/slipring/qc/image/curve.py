"""A modulation transfer function and what is quoted of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from slipring.qc.image.result import Measured, Region
from slipring.qc.image.slice import Floats

FREQUENCY: Floats = np.arange(0, 0.75, 0.005)  # per pixel, of every curve


@dataclass(frozen=True, slots=True)
class Transfer:
    """Modulation over frequency (1/mm) with the two frequencies everybody quotes, and how it was taken."""

    method: str
    frequency: Floats
    modulation: Floats
    mtf50: float
    mtf10: float | None
    sure50: float
    sure10: float
    region: Region

    @property
    def blur(self) -> float:
        """SD in mm of the Gaussian with this MTF50."""
        return math.sqrt(math.log(2) / 2) / (math.pi * self.mtf50)

    def as_measured(self) -> list[Measured]:
        """MTF50 and MTF10 as values; the curve goes with the first."""
        keep = self.frequency <= max(self.mtf10 or 0.0, self.mtf50) * 1.3
        step = max(1, int(keep.sum()) // 24)
        curve = [
            [round(float(f), 4), round(float(m), 4)]
            for f, m in zip(self.frequency[keep][::step], self.modulation[keep][::step], strict=True)
        ]
        found = [
            Measured("mtf50", self.mtf50, "1/mm", self.method, (self.region,), self.sure50, {"curve": curve}),
        ]
        if self.mtf10 is not None:
            found.append(Measured("mtf10", self.mtf10, "1/mm", self.method, (self.region,), self.sure10))
        return found


def crossing(modulation: Floats, level: float) -> float | None:
    """Where a curve over FREQUENCY first falls through a level, linearly between its points."""
    below = np.flatnonzero(modulation < level)
    if not below.size or below[0] == 0:
        return None
    after = int(below[0])
    high, low = modulation[after - 1], modulation[after]
    step = FREQUENCY[after] - FREQUENCY[after - 1]
    return float(FREQUENCY[after - 1] + step * (high - level) / (high - low))
