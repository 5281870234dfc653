"""Scanners side by side on the same phantom values: each pair's difference, held against what is allowed (5.6.4); pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations

from slipring.qc.equipment.charts import allowed_apart, number
from slipring.qc.equipment.comparing import Difference, Outcome, Sample, difference, sample_of
from slipring.rules.finding import Limit

from slipring_order.rooms.testing import Result

_FEWEST = 2  # values of a scanner that a comparison needs


@dataclass(frozen=True, slots=True)
class Pair:
    """Two scanners compared in one test; `allowed` in the unit of the values, None where nobody has said."""

    scanners: tuple[str, str]
    apart: Difference
    limit: Limit | None
    allowed: float | None

    @property
    def outcome(self) -> Outcome | None:
        """What follows; None where nothing is said of what is allowed."""
        return None if self.allowed is None else self.apart.outcome(self.allowed)


def samples(
    results: Mapping[str, Iterable[Result]], test: str, since: datetime | None, until: datetime | None
) -> dict[str, Sample]:
    """What was measured on each scanner, both moments counted; those with too few approved values are left out."""
    values = {
        scanner: [
            float(one.value)
            for one in measured
            if one.test == test
            and one.value is not None
            and not one.preliminary
            and (since is None or one.at >= since)
            and (until is None or one.at <= until)
        ]
        for scanner, measured in results.items()
    }
    return {scanner: sample_of(found) for scanner, found in values.items() if len(found) >= _FEWEST}


def pairs(measured: Mapping[str, Sample], test: str, day: date) -> Iterator[Pair]:
    """Each two of them, by the level and the limit of a day."""
    level, limit = number("comparison.confidence-level", day), allowed_apart(test, day)
    for one, other in combinations(measured, 2):
        apart = difference(measured[one], measured[other], level=level)
        yield Pair((one, other), apart, limit, _allowed(limit, measured[one], measured[other]))


def _allowed(limit: Limit | None, one: Sample, other: Sample) -> float | None:
    """In the unit of the values; a share is of the mean of both."""
    if limit is None:
        return None
    if "percent" in limit.value:
        return abs(one.mean + other.mean) / 2 * float(limit.value["percent"]) / 100
    return float(limit.value["by"])
