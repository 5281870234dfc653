"""The interval of a rate, and how unlikely so many events are. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A rate with the bounds between which the true one lies at the level; all from 0 to 1."""

    rate: float
    low: float
    high: float


def wilson(events: int, cases: int, level: float = LEVEL) -> Interval | None:
    """The score interval of a proportion; None where there was no case.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, J Am Stat Assoc 1927; 22: 209-212:
    (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n). Good for few events and none, where p ± 2 s is not.
    """
    if cases <= 0:
        return None
    z = NormalDist().inv_cdf(0.5 + level / 2)
    p, shrink = events / cases, z * z / cases
    middle = p + shrink / 2
    half = z * math.sqrt(p * (1 - p) / cases + shrink / (4 * cases))
    low = 0.0 if events == 0 else max(0.0, (middle - half) / (1 + shrink))
    high = 1.0 if events == cases else min(1.0, (middle + half) / (1 + shrink))
    return Interval(p, low, high)


def at_least(events: int, cases: int, rate: float) -> float:
    """How likely this many events or more are among so many cases, if the true rate is `rate`: exact binomial."""
    if events <= 0:
        return 1.0
    if events > cases or rate <= 0:
        return 0.0
    if rate >= 1:
        return 1.0
    return min(1.0, math.fsum(_exactly(k, cases, rate) for k in range(events, cases + 1)))


def _exactly(k: int, n: int, rate: float) -> float:
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + k * math.log(rate) + (n - k) * math.log1p(-rate))
