"""An active consent names the one examination it is for."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.consenting.facts import ConsentFacts


@rule("consent.exam", clause="CL02-A011:5.4.1", weight="stop")
def names_the_exam(facts: ConsentFacts, limits: Limits, now: datetime) -> Hit | None:
    """An active consent names the one examination it is for."""
    if facts.exam:
        return None
    return Hit(
        "知情同意须指明所针对的检查申请。",
        "The consent names the examination it is for (a ServiceRequest).",
        at="Consent.provision.data",
    )
