"""The strength of a lot is one that its agent is sold in."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.amounts import shown
from slipring_consent.contrast.facts import ContrastFacts


@rule("consent.lot-strength", clause="CL02-A011:5.3.2.5", weight="warn")
def strength_is_one_that_is_sold(facts: ContrastFacts, limits: Limits, now: datetime) -> Hit | None:
    """The strength of a lot is one that its agent is sold in.

    Another strength is more often a slip of the pen than a new product.
    """
    if facts.strength_mg_ml is None or not facts.sold or facts.strength_mg_ml in facts.sold:
        return None
    said = shown(facts.strength_mg_ml)
    return Hit(
        f"批次浓度 {said} mgI/ml 不在该品种的已知规格内。",
        f"{said} mg of iodine per ml is no strength that this agent is known to be sold in.",
        at="MedicationAdministration.medication",
        inputs={"strength": said},
    )
