"""Scanners compared on the values of the same phantom: the difference with its interval, held against what is allowed (5.6.4)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, variance


class Outcome(StrEnum):
    """What the interval of a difference says about a limit."""

    COMPARABLE = "comparable"  # all of it within the limit
    DIFFERENT = "different"  # all of it beyond
    OPEN = "open"  # it reaches across: more values would tell


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured on one scanner: the mean, the variance of single values, and how many there were."""

    mean: float
    variance: float
    count: int


@dataclass(frozen=True, slots=True)
class Difference:
    """First minus second, with the bounds between which the true difference lies at the level; in the unit of the values."""

    value: float
    low: float
    high: float
    freedom: float

    def outcome(self, allowed: float) -> Outcome:
        """Held against a limit on its absolute value; the bounds of the limit are within it."""
        if -allowed <= self.low and self.high <= allowed:
            return Outcome.COMPARABLE
        return Outcome.DIFFERENT if self.low > allowed or self.high < -allowed else Outcome.OPEN


def sample_of(values: Sequence[float]) -> Sample:
    """The sample of a series; ValueError below two values."""
    if len(values) < 2:
        raise ValueError("a comparison needs two values of each scanner at least")
    return Sample(fmean(values), variance(values), len(values))


def difference(first: Sample, second: Sample, *, level: float) -> Difference:
    """Welch's interval for two means of unequal variance (B. L. Welch, Biometrika 1947; 34: 28-35).

    Degrees of freedom by Welch and Satterthwaite; with no spread at all the interval is the difference itself.
    """
    from scipy.special import stdtrit

    parts = [one.variance / one.count for one in (first, second)]
    error = math.sqrt(sum(parts))
    value = first.mean - second.mean
    if error == 0:
        return Difference(value, value, value, math.inf)
    counts = (first.count - 1, second.count - 1)
    freedom = sum(parts) ** 2 / sum(part * part / count for part, count in zip(parts, counts, strict=True))
    reach = float(stdtrit(freedom, 0.5 + level / 2)) * error
    return Difference(value, value - reach, value + reach, freedom)
