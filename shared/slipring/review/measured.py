"""What the operations tell of the quality of reading, as the page shows it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slipring.department import names
from slipring.department.answered import groups_of, values_of
from slipring.department.road import Tree
from slipring.pages.plots.lanes import Bounds
from slipring.pages.plots.trend import Figure, Trend, trend_of
from slipring.review.quarters import Quarter

Told = Sequence[Tree]  # the parameters of an answer


@dataclass(frozen=True, slots=True)
class Measured:
    """One measure of one quarter: its parameters by name, and the cases behind it."""

    quarter: Quarter
    told: Mapping[str, Any]
    parts: Told
    numerator: str = "numerator"
    denominator: str = "denominator"

    @property
    def counts(self) -> str:
        """n/N, and '' where nothing was counted."""
        return f"{self.told[self.numerator]}/{self.told[self.denominator]}" if self.told.get(self.denominator) else ""

    @property
    def bounds(self) -> Bounds | None:
        """Rate and interval; None where there was no case."""
        return bounds_in(self.told)

    def named(self, name: str) -> list[dict[str, Any]]:
        """The values of each parameter of this name."""
        return [values_of(part) for part in groups_of(self.parts, name)]

    @property
    def members(self) -> list[dict[str, Any]]:
        """The cases: each with its report's id and its grade."""
        return [{**one, "id": names.reference_in(one["report"]).rpartition("/")[2]} for one in self.named("member")]


def bounds_in(told: Mapping[str, Any], rate: str = "rate") -> Bounds | None:
    """A value with its interval among parameters."""
    return (float(told[rate]), float(told["low"]), float(told["high"])) if rate in told else None


def measured(quarter: Quarter, parts: Told, numerator: str = "numerator", denominator: str = "denominator") -> Measured:
    """An answer, or a row of one."""
    return Measured(quarter, values_of(parts), parts, numerator, denominator)


def rows_of(quarter: Quarter, answer: Told) -> dict[tuple[str, str], Measured]:
    """The rows of a concordance by what they were held against, and body system."""
    found = {}
    for part in groups_of(answer, "row"):
        one = measured(quarter, part)
        found[str(one.told["against"]), str(one.told["system"]["code"])] = one
    return found


def over_time(every: Sequence[Measured], to: str) -> Trend:
    """The picture of a measure; `to`: where a quarter's cases are, with {quarter} in it."""
    targets = [float(one.told["target"]) for one in every if one.told.get("target") is not None]
    figures = [
        Figure(one.quarter.name, one.bounds, one.counts, to.replace("{quarter}", one.quarter.name)) for one in every
    ]
    return trend_of(figures, target=targets[-1] if targets else None)


def kappa_over_time(every: Sequence[Measured], weighting: str) -> Trend:
    """Kappa by one weighting, with its interval."""
    figures = []
    for one in every:
        [kappa, *_] = [*(each for each in one.named("kappa") if each["weighting"] == weighting), {}]
        counts = f"n={one.told['cases']}" if kappa else ""
        figures.append(Figure(one.quarter.name, bounds_in(kappa, "value"), counts))
    return trend_of(figures)
