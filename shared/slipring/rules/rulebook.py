"""Rules as functions of facts: `@rule` names one, `check` runs a list of them.

A rule takes the facts, the limits in force and the time, and returns a Hit or None. It reads nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from slipring.rules.finding import Finding, Hit, Weight
from slipring.rules.limits import Limits

Facts = TypeVar("Facts")
RuleFunction = Callable[[Facts, Limits, datetime], Hit | None]


@dataclass(frozen=True, slots=True)
class Rule(Generic[Facts]):
    """A named rule: its clause, its weight, its version, and the department's number for it."""

    id: str
    clause: str
    weight: Weight
    version: str
    domain: str
    function: RuleFunction[Facts]

    @property
    def promise(self) -> str:
        """The first line of the docstring, as the quality manual prints it."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]

    def __call__(self, facts: Facts, limits: Limits, now: datetime) -> Finding | None:
        """What this rule finds, or None."""
        hit = self.function(facts, limits, now)
        return None if hit is None else self._finding(hit)

    def _finding(self, hit: Hit) -> Finding:
        weight = hit.weight or self.weight
        # A number nobody has confirmed may ask; it may not stop a patient.
        softened = weight is Weight.STOP and hit.limit is not None and not hit.limit.confirmed
        return Finding(
            rule=self.id,
            version=self.version,
            clause=self.clause,
            weight=Weight.ASK if softened else weight,
            zh=hit.zh,
            en=hit.en,
            at=hit.at,
            inputs=dict(hit.inputs),
            limit=hit.limit,
            domain=self.domain,
            softened=softened,
        )


def rule(
    rule_id: str, *, clause: str, weight: Weight | str, version: str = "1", domain: str = ""
) -> Callable[[RuleFunction[Facts]], Rule[Facts]]:
    """Make a rule of a function; its docstring is the sentence that the rule enforces."""

    def named(function: RuleFunction[Facts]) -> Rule[Facts]:
        return Rule(rule_id, clause, Weight(weight), version, domain, function)

    return named


def check(facts: Facts, rules: Sequence[Rule[Facts]], limits: Limits, now: datetime) -> list[Finding]:
    """All findings, in the order of the rules."""
    return [finding for each in rules if (finding := each(facts, limits, now)) is not None]
