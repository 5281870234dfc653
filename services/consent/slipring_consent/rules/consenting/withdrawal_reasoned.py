"""A withdrawal says by whom and why; without that it counts all the same."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.consenting.withdrawal import WithdrawalFacts


@rule("consent.withdrawal-reason", clause="CL02-A011:5.4.1", weight="warn")
def a_withdrawal_has_its_reason(facts: WithdrawalFacts, limits: Limits, now: datetime) -> Hit | None:
    """A withdrawal says by whom and why; without that it counts all the same."""
    if facts.by_stated and facts.reason_stated:
        return None
    return Hit(
        "撤回未注明由谁撤回或撤回理由，撤回仍然有效；请补记。",
        "The withdrawal does not say by whom or why; it counts all the same, and that is to be added.",
        at="Consent.extension",
    )
