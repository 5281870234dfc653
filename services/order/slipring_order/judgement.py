"""Facts in, findings and the outcome of justification out; pure."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from slipring.rules.finding import Finding, Weight
from slipring.rules.limits import EVERYTHING, LimitBook
from slipring.rules.rulebook import check

from slipring_order.catalogue import Item
from slipring_order.facts import DecisionFacts, OrderFacts
from slipring_order.rules import DECISION_RULES, ORDER_RULES
from slipring_order.rules.request_complete import missing_items


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say about a request."""

    outcome: str  # justified, awaiting-justification, awaiting-information, rejected
    findings: tuple[Finding, ...]
    missing: tuple[Item, ...]
    facts: OrderFacts
    rule_set: str = ""  # the version of the department's own set that it was judged by; empty: as shipped

    @property
    def stopped(self) -> bool:
        """Whether something is missing or not asked yet, so that no single decision passes it outside an emergency."""
        return bool(self.stops)

    @property
    def stops(self) -> list[Finding]:
        """The findings that stop and want information, not a physician's decision."""
        wanting = (f for f in self.findings if f.weight is Weight.STOP)
        return [finding for finding in wanting if _outcome(finding) == "awaiting-information"]


def judge(facts: OrderFacts, book: LimitBook, now: datetime, zone: ZoneInfo, off: Collection[str] = ()) -> Judgement:
    """Run the rules of justification on a request; `off` are those that the department has switched off."""
    rules = [rule for rule in ORDER_RULES if rule.id not in off]
    findings = check(facts, rules, book.on(now.astimezone(zone).date()), now)
    version = book.own.version if book.own else ""
    return Judgement(outcome_of(findings), tuple(findings), tuple(missing_items(facts)), facts, version)


def judge_in_full(
    facts: OrderFacts, book: LimitBook, now: datetime, zone: ZoneInfo, off: Collection[str] = ()
) -> Judgement:
    """The answer of the full pack, unconfirmed numbers included; each finding still says what is confirmed."""
    full = judge(facts, replace(book, confirmed=frozenset({EVERYTHING})), now, zone, off)
    day = now.astimezone(zone).date()
    truthful = [
        replace(finding, limit=book.limit(finding.limit.id, on=day)) if finding.limit else finding
        for finding in full.findings
    ]
    return replace(full, findings=tuple(truthful))


def judge_decision(decision: DecisionFacts, book: LimitBook, now: datetime, zone: ZoneInfo) -> list[Finding]:
    """What a decision's record lacks."""
    return check(decision, DECISION_RULES, book.on(now.astimezone(zone).date()), now)


def outcome_of(findings: Sequence[Finding]) -> str:
    """The worst outcome that a fired rule asks for."""
    asked = [_outcome(finding) for finding in findings if finding.weight is not Weight.INFO]
    return max(asked, key=severity, default="justified")


def severity(outcome: str) -> int:
    """How bad an outcome is; a greater number is worse."""
    order: list[str] = _data()["order"]
    return order.index(outcome)


def answered_by_decision(rule: str) -> bool:
    """Whether a physician's decision on the justification answers what this rule found."""
    return rule not in _data()["stands"]


def switchable() -> frozenset[str]:
    """The rules that the department may switch off."""
    return frozenset(_data()["switchable"])


def ordered_limits() -> list[tuple[str, str]]:
    """Pairs of limits of which the first is never greater than the second."""
    return [(str(lower), str(upper)) for lower, upper in _data()["ordered"]]


def _outcome(finding: Finding) -> str:
    asked = str(_data()["outcomes"].get(finding.rule, "justified"))
    return "awaiting-justification" if asked == "rejected" and finding.weight is not Weight.STOP else asked


@cache
def _data() -> Mapping[str, Any]:
    with Path(__file__).with_name("outcomes.toml").open("rb") as file:
        return tomllib.load(file)
