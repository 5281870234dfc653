"""Contrast is taken from a lot that is entered here."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.facts import ContrastFacts


@rule("consent.lot-named", clause="CL02-A011:5.3.2.3", weight="stop")
def lot_is_named(facts: ContrastFacts, limits: Limits, now: datetime) -> Hit | None:
    """Contrast is taken from a lot that is entered here.

    Without it nobody can say whether it was accepted and is in date, nor find who got it when it is recalled.
    """
    if facts.lot == "none":
        zh, en = "未注明对比剂批次。", "The lot of the contrast is not named."
    elif facts.lot in ("unknown", "entered-in-error"):
        zh, en = "所注明的批次未在此登记。", "The lot that is named is not entered here."
    else:
        return None
    return Hit(zh, en, at="MedicationAdministration.medication", inputs={"lot": facts.lot})
