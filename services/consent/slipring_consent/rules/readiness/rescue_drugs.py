"""No rescue drug or supply of the crash cart is past its last day of use."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.readiness.facts import ReadinessFacts


@rule("consent.rescue-drugs", clause="CL02-A011:5.2.5", weight="warn")
def rescue_drugs_are_in_date(facts: ReadinessFacts, limits: Limits, now: datetime) -> Hit | None:
    """No rescue drug or supply of the crash cart is past its last day of use."""
    expired = facts.expired(limits.day)
    if not expired:
        return None
    named = ", ".join(expired)
    return Hit(
        f"抢救车药品、用品已过期：{named}。",
        f"Rescue drugs or supplies are past their last day of use: {named}.",
        at="MedicationAdministration",
        inputs={"cart": facts.cart, "expired": named},
        limit=facts.policy,
        weight=facts.weight,
    )
