"""What a policy pack makes of one patient, and where packs disagree. Pure: facts in, words out, nothing stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from slipring.rules.finding import Finding, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import check

from slipring_consent.rules import ASSESSMENT_RULES
from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.packs import Policy

# What the worst finding makes of the whole; nothing but notes is a clearance.
_CLEARANCES = {
    Weight.STOP: "contraindicated",
    Weight.ASK: "physician-decision",
    Weight.WARN: "precautions",
}
CLEARED = "cleared"
CLEARANCES = (CLEARED, *reversed(_CLEARANCES.values()))


@dataclass(frozen=True, slots=True)
class Assessment:
    """What one pack says about one patient."""

    policy: Policy
    findings: tuple[Finding, ...]

    @property
    def clearance(self) -> str:
        """The worst that a finding asks for."""
        weights = {finding.weight for finding in self.findings}
        return next((name for weight, name in _CLEARANCES.items() if weight in weights), CLEARED)

    @property
    def confirmed(self) -> bool:
        """Whether every finding rests on what was read in the source or confirmed by the department."""
        return all(finding.limit is None or finding.limit.confirmed for finding in self.findings)

    def of(self, rule: str) -> Finding | None:
        """What the pack found by one rule."""
        return next((finding for finding in self.findings if finding.rule == rule), None)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One rule that packs answer differently for this patient, and what each of them finds; None: it finds nothing."""

    rule: str
    positions: tuple[tuple[Policy, Finding | None], ...]


def assess(facts: ScreeningFacts, policy: Policy, limits: Limits, now: datetime) -> Assessment:
    """Judge by the full pack, as if all of it were confirmed; each finding says whether its own entry is."""
    full = replace(facts, policy=replace(policy, confirmed=True))
    return Assessment(policy, tuple(_truthful(one, policy) for one in check(full, ASSESSMENT_RULES, limits, now)))


def disagreements(assessments: Sequence[Assessment]) -> list[Disagreement]:
    """The rules that do not weigh the same in all packs, or of which they advise different things."""
    found = []
    for rule in ASSESSMENT_RULES:
        positions = tuple((one.policy, one.of(rule.id)) for one in assessments)
        said = {(finding.weight, finding.en) if finding else None for _, finding in positions}
        if len(said) > 1:
            found.append(Disagreement(rule.id, positions))
    return found


def _truthful(finding: Finding, policy: Policy) -> Finding:
    if finding.limit is None:
        return finding
    limit = policy.limit(finding.rule)
    return replace(finding, limit=limit, softened=finding.weight is Weight.STOP and not limit.confirmed)
