"""Contrast is given only up to the end of the day or month that its pack prints."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.facts import ContrastFacts


@rule("consent.lot-in-date", clause="CL02-A011:5.3.2.1", weight="stop")
def lot_is_in_date(facts: ContrastFacts, limits: Limits, now: datetime) -> Hit | None:
    """Contrast is given only up to the end of the day or month that its pack prints."""
    if facts.lot in ("none", "unknown") or facts.expiry == "in-date":
        return None
    if facts.expiry == "expired":
        zh = f"批次 {facts.number} 已过有效期（{facts.expires}）。"
        en = f"Lot {facts.number} is out of date ({facts.expires})."
    else:
        zh, en = f"批次 {facts.number} 未注明有效期。", f"Lot {facts.number} says no expiry date."
    return Hit(zh, en, at="MedicationAdministration.medication", inputs={"expires": facts.expires})
