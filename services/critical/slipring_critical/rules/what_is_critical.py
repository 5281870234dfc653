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


def level_of(flag: FlagFacts) -> str:
    """The level that rings: the flag's own, else the catalogue's default, else the most urgent.

    >>> level_of(FlagFacts(finding="nobody knows this"))
    '1'
    """
    if flag.level in {str(level) for level in LEVELS}:
        return flag.level
    entry = critical_finding(flag.finding)
    return str(entry.level if entry else min(LEVELS))


@rule("critical.known-finding", clause="CL02-A011:5.9.1", weight=Weight.WARN)
def names_a_finding_of_the_catalogue(flag: FlagFacts, _limits: Limits, _now: datetime) -> Hit | None:
    """A flag names a finding of the catalogue; one that does not rings at its own level, or the most urgent."""
    if critical_finding(flag.finding):
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
    entry = critical_finding(flag.finding)
    if entry is None or not flag.level.isdigit() or int(flag.level) <= entry.level:
        return None
    return Hit(
        zh=f"报告者将级别由目录的 {entry.level} 级改为 {flag.level} 级。",
        en=f"The author chose level {flag.level} where the catalogue says {entry.level}.",
        at="Observation.component",
        inputs={"level": flag.level, "catalogue": entry.level},
    )


FLAG_RULES: tuple[Rule[FlagFacts], ...] = (names_a_finding_of_the_catalogue, keeps_the_level_of_the_catalogue)
