"""An active consent is signed by the patient or by a relative of whom the relationship is known."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.consenting.facts import ConsentFacts


@rule("consent.signer", clause="CL02-A011:5.4.1", weight="stop")
def is_signed(facts: ConsentFacts, limits: Limits, now: datetime) -> Hit | None:
    """An active consent is signed by the patient or by a relative of whom the relationship is known."""
    if facts.signer == "patient" or (facts.signer == "relative" and facts.relationship):
        return None
    return Hit(
        "知情同意须由患者本人，或注明与患者关系的近亲属/监护人签署。",
        "The consent is signed by the patient, or by a relative whose relationship is stated.",
        at="Consent.performer",
    )
