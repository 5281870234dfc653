"""What counts as critical: the catalogue decides, and what it does not know still rings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from slipring.clauses.critical_findings import LEVELS, critical_finding
from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import Rule, rule


@dataclass(frozen=True, slots=True)
class FlagFacts:
    """Which finding was flagged, and at which level."""

    finding: str = ""
    level: str = ""
    own_level: int = 0  # of the department's own catalogue; 0 = it says nothing of this finding

    @property
    def catalogue_level(self) -> int:
        """The level that the catalogue in force gives it; 0 when none knows it."""
        entry = critical_finding(self.finding)
        return self.own_level or (entry.level if entry else 0)


def level_of(flag: FlagFacts) -> str:
    """The level that rings: the flag's own, else the catalogue's default, else the most urgent.

    >>> level_of(FlagFacts(finding="nobody knows this"))
    '1'
    """
    if flag.level in {str(level) for level in LEVELS}:
        return flag.level
    return str(flag.catalogue_level or min(LEVELS))


@rule("critical.known-finding", clause="CL02-A011:5.9.1", weight=Weight.WARN)
def names_a_finding_of_the_catalogue(flag: FlagFacts, _limits: Limits, _now: datetime) -> Hit | None:
    """A flag names a finding of the catalogue; one that does not rings at its own level, or the most urgent."""
    if flag.catalogue_level:
        return None
    return Hit(
        zh="标记的危急值不在目录中，仍按危急值通知。",
        en="The flagged finding is not in the catalogue; it is told all the same.",
        at="Observation.code",
        inputs={"finding": flag.finding},
    )


@rule("critical.level-not-lowered", clause="CL02-A011:5.9.1", weight=Weight.INFO)
def keeps_the_level_of_the_catalogue(flag: FlagFacts, _limits: Limits, _now: datetime) -> Hit | None:
    """A flag rings no later than the catalogue asks, unless its author chose a lower level by name."""
    usual = flag.catalogue_level
    if not usual or not flag.level.isdigit() or int(flag.level) <= usual:
        return None
    return Hit(
        zh=f"报告者将级别由目录的 {usual} 级改为 {flag.level} 级。",
        en=f"The author chose level {flag.level} where the catalogue says {usual}.",
        at="Observation.component",
        inputs={"level": flag.level, "catalogue": usual},
    )


FLAG_RULES: tuple[Rule[FlagFacts], ...] = (names_a_finding_of_the_catalogue, keeps_the_level_of_the_catalogue)
