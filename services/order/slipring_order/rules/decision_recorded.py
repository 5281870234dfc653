"""J16: a decision is recorded whole or not at all."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import DecisionFacts

_OUTCOMES = frozenset({"justified", "rejected", "ask", "replace"})
_PARTS = {
    "outcome": ("结论", "the outcome"),
    "decider": ("决定者", "the person who decides"),
    "title": ("决定者职称", "the decider's title"),
    "at": ("时间", "the time"),
    "reason": ("编码理由", "a coded reason"),
}


@rule("order.decision-recorded", clause="CL02-A011:5.4.1", weight="stop", domain="J16")
def records_the_whole_decision(decision: DecisionFacts, limits: Limits, now: datetime) -> Hit | None:
    """A decision on justification names its outcome, its decider with title, its time and its reason."""
    lacking = [part for part in _PARTS if not getattr(decision, part)]
    if decision.outcome and decision.outcome not in _OUTCOMES:
        lacking.insert(0, "outcome")
    if not lacking:
        return None
    return Hit(
        f"决定记录缺少：{'、'.join(_PARTS[part][0] for part in lacking)}。",
        f"The decision lacks {', '.join(_PARTS[part][1] for part in lacking)}.",
        at="Parameters",
        inputs={"lacking": lacking},
    )
