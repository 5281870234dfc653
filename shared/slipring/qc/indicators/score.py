"""From counted groups to a figure with its populations, its interval and the hash of what it was made from. Pure."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

from slipring.qc.indicators.definition import Definition
from slipring.qc.proportion import LEVEL, Interval, wilson

POPULATIONS = ("initial-population", "denominator", "denominator-exclusion", "numerator")


@dataclass(frozen=True, slots=True)
class Group:
    """Members that are alike: the same marks, the same remarks, and values below the same of the asked bounds."""

    marks: str
    remarks: str
    below: int  # how many of the asked bounds, in rising order, the value does not exceed
    valued: bool  # whether they have a value at all
    count: int
    first: int  # the sums of the halves of their digests
    second: int
    span: str = ""  # the part of the period, where parts were asked for

    @property
    def words(self) -> frozenset[str]:
        """All that is said of these members, by their own record and by others."""
        return frozenset(f"{self.marks} {self.remarks}".split())


@dataclass(frozen=True, slots=True)
class Counts:
    """How many are in each population."""

    initial: int = 0
    denominator: int = 0
    excluded: int = 0
    numerator: int = 0

    @property
    def over(self) -> int:
        """What the numerator is a part of: the denominator without those excluded."""
        return self.denominator - self.excluded

    @property
    def share(self) -> Interval | None:
        """The share with its Wilson interval; None where nothing is counted, which is neither 0 nor 100 %."""
        return wilson(self.numerator, self.over)

    def by_population(self) -> dict[str, int]:
        """The counts by the codes of FHIR's measure populations."""
        return dict(zip(POPULATIONS, (self.initial, self.denominator, self.excluded, self.numerator), strict=True))


def place_of(definition: Definition, group: Group, bounds: Sequence[float]) -> str:
    """The innermost population of a group's members: `numerator`, `denominator`, `denominator-exclusion` or `initial-population`."""
    words = group.words
    if not definition.counted_over(words):
        return "initial-population"
    if definition.left_out(words):
        return "denominator-exclusion"
    return "numerator" if definition.counts_in(words, _within(definition, group, bounds)) else "denominator"


def count(definition: Definition, groups: Iterable[Group], bounds: Sequence[float] = ()) -> Counts:
    """The populations of a definition; `bounds`: those that the groups were told apart by, rising."""
    found = dict.fromkeys(POPULATIONS, 0)
    for group in groups:
        found[place_of(definition, group, bounds)] += group.count
    denominator = found["denominator"] + found["denominator-exclusion"] + found["numerator"]
    return Counts(
        found["initial-population"] + denominator, denominator, found["denominator-exclusion"], found["numerator"]
    )


def middle_ranks(cases: int, level: float = LEVEL) -> tuple[float, float, float]:
    """Where in order the median and the bounds of its interval lie, as shares of all; needs one case at least.

    The ranks n/2 ± z sqrt(n)/2 hold the true median at the level (W. J. Conover, Practical nonparametric statistics, 3.2).

    >>> [round(one, 3) for one in middle_ranks(100)]
    [0.402, 0.5, 0.598]
    """
    half = NormalDist().inv_cdf(0.5 + level / 2) / (2 * math.sqrt(cases))
    return max(0.0, 0.5 - half), 0.5, min(1.0, 0.5 + half)


def hash_of(definition: Definition, asked: Sequence[str], groups: Iterable[Group]) -> str:
    """The SHA-256 of what a figure is made from: the definition's version, what was asked, and every row counted.

    The rows come in as sums of their digests (M. Bellare, D. Micciancio, A new paradigm for collision-free hashing, 1997:
    AdHash), which need no order and are added up by the database. A change of a row, a row more or less shows; who could
    choose rows freely to make sums meet is the business of the audit seals.
    """
    sums: dict[tuple[str, str], list[int]] = {}
    for one in groups:
        held = sums.setdefault((one.marks, one.remarks), [0, 0, 0])
        for place, value in enumerate((one.count, one.first, one.second)):
            held[place] += value
    said = [definition.id, definition.version, *asked, sorted([*key, *map(str, held)] for key, held in sums.items())]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def _within(definition: Definition, group: Group, bounds: Sequence[float]) -> bool:
    if definition.within is None or not group.valued:
        return False
    return group.below >= len(bounds) - list(bounds).index(definition.within)
