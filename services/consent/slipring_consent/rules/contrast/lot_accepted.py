"""A lot of contrast is accepted by a named person before its first use."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.facts import ContrastFacts


@rule("consent.lot-accepted", clause="CL02-A011:5.3.2.3", weight="stop")
def lot_is_accepted(facts: ContrastFacts, limits: Limits, now: datetime) -> Hit | None:
    """A lot of contrast is accepted by a named person before its first use."""
    at = "MedicationAdministration.medication"
    if facts.lot == "received":
        return Hit(f"批次 {facts.number} 尚未验收。", f"Lot {facts.number} is not accepted yet.", at=at)
    if facts.lot == "rejected":
        return Hit(f"批次 {facts.number} 验收不合格。", f"Lot {facts.number} was rejected.", at=at)
    return None
