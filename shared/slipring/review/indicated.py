"""An indicator's MeasureReport as the page shows it: figure, interval, target, months. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from slipring.department.road import Tree
from slipring.measuring.spelling import target_in
from slipring.pages.plots.lanes import Bounds
from slipring.pages.plots.trend import Figure, Trend, trend_of
from slipring.qc.indicators.definition import Definition, definitions, every_version
from slipring.qc.indicators.dose import dose_populations

_ROOMS = {"ServiceRequest": "/reading/exams/", "DiagnosticReport": "/reading/reports/"}


@dataclass(frozen=True, slots=True)
class Indicated:
    """One indicator over the period that is shown."""

    definition: Definition
    group: Tree
    first: date
    last: date
    keeper: str  # the id of its Measure
    laid_down: bool = False  # the target is the department's own

    @property
    def counts(self) -> Mapping[str, int]:
        """How many are in each population."""
        return counts_in(self.group)

    @property
    def over(self) -> int:
        """What the numerator is a part of."""
        return self.counts["denominator"] - self.counts["denominator-exclusion"]

    @property
    def missed(self) -> int:
        """Those of the denominator that are not in the numerator."""
        return self.over - self.counts["numerator"]

    @property
    def score(self) -> float | None:
        """The figure; None where nothing was counted."""
        return score_in(self.group)

    @property
    def interval(self) -> Mapping[str, float]:
        """The bounds of the figure, and of values their tenths."""
        return interval_in(self.group)

    @property
    def verdict(self) -> str:
        """`good` or `bad`; `met` or `warn` of a target that nobody confirmed; empty where there is nothing to say."""
        met, target = self.definition.verdict(self.score, self.over), self.definition.target
        if met is None or target is None:
            return ""
        if target.confidence == "A":
            return "good" if met else "bad"
        return "met" if met else "warn"

    @property
    def of_doses(self) -> bool:
        """Whether it is one of the many of dose groups, which stand in a table."""
        return self.definition.population in dose_populations()

    @property
    def picture(self) -> Trend | None:
        """The share month by month; None of what is no share."""
        if self.definition.scoring == "continuous":
            return None
        strata = {one["value"]["text"]: one for each in self.group.get("stratifier", []) for one in each["stratum"]}
        figures = [_figure(month, strata.get(month.isoformat())) for month in months(self.first, self.last)]
        target = self.definition.target
        return trend_of(figures, target=target.value if target else None)


def indicated(report: Tree, letters: Mapping[str, str], first: date, last: date) -> Indicated | None:
    """A report of one of the known indicators; `letters`: of the services that keep the Measures."""
    [group] = report["group"]
    definition = definitions().get(str(group.get("id")))
    if definition is None:
        return None
    keeper = f"{letters[definition.service]}-{definition.id}-{definition.version}"
    held_against = target_in(group)
    shipped = {one.target for one in every_version() if one.id == definition.id}
    laid_down = held_against is not None and held_against not in shipped
    return Indicated(replace(definition, target=held_against), group, first, last, keeper, laid_down)


def counts_in(element: Tree) -> dict[str, int]:
    """The counts of a group or stratum by population."""
    return {one["code"]["coding"][0]["code"]: int(one["count"]) for one in element.get("population", [])}


def score_in(element: Tree) -> float | None:
    """The score of a group or stratum."""
    value = element.get("measureScore", {}).get("value")
    return None if value is None else float(value)


def interval_in(element: Tree) -> dict[str, float]:
    """The parts of a score's interval."""
    found = [one for one in element.get("extension", []) if one["url"].endswith("/score-interval")]
    return {part["url"]: float(part["valueDecimal"]) for one in found for part in one["extension"]}


def address_of(reference: str) -> str:
    """Where a member is looked at; empty for what has no page of its own."""
    kind, _, name = reference.partition("/")
    if kind == "Task" and name.startswith("k-"):
        return f"/alerts/cases/{name}"
    return f"{_ROOMS[kind]}{name}" if kind in _ROOMS else ""


def months(first: date, last: date) -> list[date]:
    """The first days of the months that touch a period.

    >>> [str(one) for one in months(date(2025, 12, 31), date(2026, 1, 2))]
    ['2025-12-01', '2026-01-01']
    """
    at, found = first.replace(day=1), []
    while at <= last:
        found.append(at)
        at = (at + timedelta(days=31)).replace(day=1)
    return found


def _figure(month: date, stratum: Tree | None) -> Figure:
    told: Any = stratum or {}
    score, interval, counts = score_in(told), interval_in(told), counts_in(told)
    if score is None:
        return Figure(f"{month:%y-%m}")
    bounds: Bounds = (score, interval.get("low", score), interval.get("high", score))
    over = counts["denominator"] - counts["denominator-exclusion"]
    return Figure(f"{month:%y-%m}", bounds, f"{counts['numerator']}/{over}")
