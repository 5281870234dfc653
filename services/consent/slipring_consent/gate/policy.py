"""The department's policy for the gate: what a named physician may pass and for which reasons; dated, and its own to change."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from slipring.rules.finding import Finding, Limit, Weight
from slipring.rules.limits import EVERYTHING
from slipring.staff.permission import acts

SHIPPED = Path(__file__).parents[1] / "data" / "gate.toml"
ID = "gate.policy"
MODES = ("warn", "block")


@dataclass(frozen=True, slots=True)
class GatePolicy:
    """The policy as it stands on one day."""

    reasons: tuple[str, ...]
    overridable: Mapping[str, tuple[str, ...]]
    by: str  # the act that whoever overrides must be allowed
    by_rule: Mapping[str, str]
    readiness: str  # warn | block
    since: date
    source: str
    confidence: str
    confirmed: bool  # the department's own, or the shipped one that a named person has confirmed
    of: str = ""  # the version of the set that two people stand for; empty: as in the file

    def reasons_for(self, finding: Finding) -> tuple[str, ...]:
        """The coded reasons for which a finding may be passed; what only asks is decided for any of them."""
        listed = self.overridable.get(finding.rule, ())
        return listed or (self.reasons if finding.weight is Weight.ASK else ())

    def act_for(self, rule: str) -> str:
        """The act of the staff register that whoever passes this rule must be allowed."""
        return self.by_rule.get(rule, self.by)

    @property
    def limit(self) -> Limit:
        """The policy as a limit, so that a finding names its source and whether it is confirmed."""
        return Limit(ID, self.readiness, self.source, self.confidence, self.since, confirmed=self.confirmed, of=self.of)


def policy_on(day: date, file: str = "", confirmed: Collection[str] = ()) -> GatePolicy:
    """The policy in force on a day: of the department's own `file`, or as shipped; ValueError says what is no policy."""
    written = _written(Path(file) if file else SHIPPED)
    begun = [entry for entry in written["policy"] if entry["from"] <= day]
    newest = max(begun or written["policy"][:1], key=lambda entry: entry["from"])
    sure = bool(file) or ID in confirmed or EVERYTHING in confirmed
    return GatePolicy(
        reasons=tuple(newest["reasons"]),
        overridable={rule: tuple(reasons) for rule, reasons in newest["overridable"].items()},
        by=newest["by"],
        by_rule=newest.get("by_rule", {}),
        readiness=newest["readiness"],
        since=newest["from"],
        source=written["source"],
        confidence=written["confidence"],
        confirmed=sure or written["confidence"].startswith("S"),
    )


def overridable_as_shipped() -> Mapping[str, tuple[str, ...]]:
    """What the shipped policy lets pass, by rule, over all its entries."""
    return {rule: tuple(given) for entry in _written(SHIPPED)["policy"] for rule, given in entry["overridable"].items()}


def codes_of_reasons() -> frozenset[str]:
    """The coded reasons that there are, of the code system `override-reason`."""
    return frozenset(code for entry in _written(SHIPPED)["policy"] for code in entry["reasons"])


@cache
def _written(file: Path) -> Mapping[str, Any]:
    """A policy file; ValueError says what in it is no policy."""
    written = tomllib.loads(file.read_text(encoding="utf-8"))
    if not written.get("policy") or not {"source", "confidence"} <= written.keys():
        raise ValueError(f"{file}: a gate policy has source, confidence and at least one [[policy]]")
    for entry in written["policy"]:
        if missing := {"from", "by", "reasons", "readiness", "overridable"} - entry.keys():
            raise ValueError(f"{file}: a [[policy]] lacks {', '.join(sorted(missing))}")
        if unknown := {entry["by"], *entry.get("by_rule", {}).values()} - acts().keys():
            raise ValueError(f"{file}: no such act: {', '.join(sorted(unknown))}")
        if unknown := {reason for listed in entry["overridable"].values() for reason in listed} - {*entry["reasons"]}:
            raise ValueError(f"{file}: not among the reasons: {', '.join(sorted(unknown))}")
        if entry["readiness"] not in MODES:
            raise ValueError(f"{file}: readiness is one of {', '.join(MODES)}")
    return written
