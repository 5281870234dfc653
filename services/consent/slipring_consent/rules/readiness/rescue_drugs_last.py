"""A rescue drug that is soon past its last day of use is told before it is."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.readiness.facts import ReadinessFacts


@rule("consent.rescue-drugs-soon", clause="CL02-A011:5.2.5", weight="info")
def rescue_drugs_will_last(facts: ReadinessFacts, limits: Limits, now: datetime) -> Hit | None:
    """A rescue drug that is soon past its last day of use is told before it is."""
    days = limits.limit("readiness.expiring_days")
    until = limits.day + timedelta(days=int(days.value))
    soon = [(name, last) for name, last in facts.use_by if limits.day <= last <= until]
    if not soon:
        return None
    named = ", ".join(f"{name} ({last.isoformat()})" for name, last in soon)
    return Hit(
        f"抢救车药品、用品即将到期：{named}。",
        f"Rescue drugs or supplies are soon past their last day of use: {named}.",
        at="MedicationAdministration",
        inputs={"cart": facts.cart, "soon": named},
        limit=days,
    )
