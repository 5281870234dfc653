"""The exponentially weighted moving average: a small shift that lasts shows before single values do."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from slipring.qc.equipment.shewhart import Centre


@dataclass(frozen=True, slots=True)
class Smoothed:
    """The average after one value, and the limits it is held against there; in the unit of the values."""

    value: float
    low: float
    high: float

    @property
    def out(self) -> bool:
        """Whether it lies beyond its limits."""
        return not self.low <= self.value <= self.high


def ewma(values: Sequence[float], centre: Centre, *, weight: float, sigmas: float) -> list[Smoothed]:
    """z_t = weight x_t + (1 - weight) z_(t-1) with z_0 the centre (NIST/SEMATECH e-Handbook 6.3.2.4).

    Limits by the exact variance sd² weight / (2 - weight) (1 - (1 - weight)^(2t)): narrower for the first values, as the
    average cannot have strayed far yet. ValueError for a weight that is not above 0 and up to 1.
    """
    if not 0 < weight <= 1:
        raise ValueError("the weight lies above 0 and up to 1")
    found, smoothed = [], centre.mean
    for count, value in enumerate(values, 1):
        smoothed = weight * value + (1 - weight) * smoothed
        share = weight / (2 - weight) * (1 - (1 - weight) ** (2 * count))
        reach = sigmas * centre.sd * math.sqrt(share)
        found.append(Smoothed(smoothed, centre.mean - reach, centre.mean + reach))
    return found
