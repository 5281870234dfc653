"""A recalled lot is given to nobody."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.facts import ContrastFacts


@rule("consent.lot-not-recalled", clause="CL02-A011:5.3.2.1", weight="stop")
def lot_is_not_recalled(facts: ContrastFacts, limits: Limits, now: datetime) -> Hit | None:
    """A recalled lot is given to nobody.

    No reason passes this: another lot is taken.
    """
    if facts.lot != "recalled":
        return None
    at = "MedicationAdministration.medication"
    return Hit(f"批次 {facts.number} 已召回，不得使用。", f"Lot {facts.number} is recalled; take another.", at=at)
