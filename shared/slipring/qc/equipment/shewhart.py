"""The chart of individual values: a centre and a standard deviation from a baseline series (Shewhart)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

# The mean of the range of two values from a normal distribution, in standard deviations: 2 / sqrt(pi).
_D2 = 1.128


@dataclass(frozen=True, slots=True)
class Centre:
    """Where a series lies and how far single values stray from it; both in the unit of the values."""

    mean: float
    sd: float
    count: int  # values that it was made from

    def z(self, value: float) -> float:
        """A value as standard deviations from the centre; 0 on it, infinite beside it where nothing ever strayed."""
        if self.sd > 0:
            return (value - self.mean) / self.sd
        return 0.0 if value == self.mean else float("inf") if value > self.mean else float("-inf")

    def bounds(self, sigmas: float) -> tuple[float, float]:
        """The lower and the upper limit."""
        return self.mean - sigmas * self.sd, self.mean + sigmas * self.sd


def centre_of(values: Sequence[float]) -> Centre:
    """Mean, and the mean moving range over d2 = 1.128 (NIST/SEMATECH e-Handbook 6.3.2.2.2); ValueError below two values.

    The moving range and not the standard deviation of all: a slow drift within the baseline does not widen the limits.

    >>> centre_of([10.0, 10.2, 9.9, 10.1]).count
    4
    """
    if len(values) < 2:
        raise ValueError("a centre needs two values at least")
    ranges = [abs(later - earlier) for earlier, later in pairwise(values)]
    return Centre(fmean(values), fmean(ranges) / _D2, len(values))
