"""A definition evaluated: its populations, its figure with interval, the hash of its inputs, and its parts by span."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from slipring.measuring.asking import Question
from slipring.qc.indicators.asked import Counting, Member
from slipring.qc.indicators.definition import Definition
from slipring.qc.indicators.score import Counts, Group, count, hash_of, middle_ranks, place_of

_TENTHS = (0.1, 0.9)


@dataclass(frozen=True, slots=True)
class Spread:
    """Values in order: the middle one with the bounds of its interval, and the tenths at both ends."""

    low: float
    median: float
    high: float
    p10: float
    p90: float


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One figure of one question."""

    definition: Definition
    question: Question
    groups: Sequence[Group]
    bounds: Sequence[float]
    spread: Spread | None = None  # of a continuous one with values

    @property
    def counts(self) -> Counts:
        """How many are in each population."""
        return count(self.definition, self.groups, self.bounds)

    @property
    def score(self) -> float | None:
        """The figure; None where nothing is counted."""
        if self.definition.scoring == "continuous":
            return self.spread.median if self.spread else None
        share = self.counts.share
        return share.rate if share else None

    @property
    def met(self) -> bool | None:
        """Whether the figure meets the target; None where there is none, or too little to say so."""
        return self.definition.verdict(self.score, self.counts.over)

    @property
    def interval(self) -> dict[str, float]:
        """The bounds of the figure; a ratio of sums has none."""
        share = self.counts.share
        if self.definition.scoring == "continuous":
            one = self.spread
            return {"low": one.low, "high": one.high, "p10": one.p10, "p90": one.p90} if one else {}
        return {"low": share.low, "high": share.high} if share and self.definition.scoring == "proportion" else {}

    @property
    def hash(self) -> str:
        """Of all it was made from."""
        return hash_of(self.definition, self.question.words, self.groups)

    @property
    def spans(self) -> Mapping[str, Evaluated]:
        """The same figure of each part of the period, where parts were asked for."""
        apart: dict[str, list[Group]] = {}
        for group in self.groups:
            if group.span:
                apart.setdefault(group.span, []).append(group)
        return {
            span: Evaluated(self.definition, self.question, own, self.bounds) for span, own in sorted(apart.items())
        }

    def among(self, members: str) -> list[Group]:
        """The groups of which some members are: a population by its code, or `missed`."""
        wanted = {
            "numerator": ("numerator",),
            "missed": ("denominator",),
            "denominator": ("denominator", "denominator-exclusion", "numerator"),
            "denominator-exclusion": ("denominator-exclusion",),
        }[members]
        return [one for one in self.groups if place_of(self.definition, one, self.bounds) in wanted]

    async def members(self, of: str, counting: Counting, limit: int, offset: int) -> list[Member]:
        """Some of the members, the earliest first."""
        asked = self.question.asked(self.definition.population)
        return await counting.members(asked, self.among(of), self.bounds, limit=limit, offset=offset)


def bounds_of(definitions: Sequence[Definition]) -> list[float]:
    """Every bound that a value is held against, rising."""
    return sorted({one.within for one in definitions if one.within is not None})


async def evaluated(
    question: Question, definitions: Sequence[Definition], counting: Counting, per: str = ""
) -> list[Evaluated]:
    """Definitions evaluated, each population looked up once."""
    found: dict[str, tuple[list[float], list[Group]]] = {}
    for name in dict.fromkeys(one.population for one in definitions):
        bounds = bounds_of([one for one in definitions if one.population == name])
        found[name] = bounds, await counting.groups(question.asked(name), bounds, per)
    return [await _one(one, question, *found[one.population], counting) for one in definitions]


async def _one(
    definition: Definition, question: Question, bounds: list[float], groups: list[Group], counting: Counting
) -> Evaluated:
    plain = Evaluated(definition, question, groups, bounds)
    if definition.scoring != "continuous":
        return plain
    valued = [one for one in plain.among("denominator") if one.valued and not definition.left_out(one.words)]
    cases = sum(one.count for one in valued)
    if not cases:
        return plain
    asked = question.asked(definition.population)
    low, median, high, p10, p90 = await counting.quantiles(asked, valued, [*middle_ranks(cases), *_TENTHS])
    return Evaluated(definition, question, groups, bounds, Spread(low, median, high, p10, p90))
