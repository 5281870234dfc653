"""Who is said to lack capacity does not consent alone."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.consenting.facts import ConsentFacts


@rule("consent.capacity", clause="CL02-A011:5.4.1", weight="stop")
def capacity_fits_the_signer(facts: ConsentFacts, limits: Limits, now: datetime) -> Hit | None:
    """Who is said to lack capacity does not consent alone."""
    if facts.signer != "patient" or facts.capacity not in ("limited", "none"):
        return None
    return Hit(
        "患者不具完全民事行为能力，须由监护人签署。",
        "The patient is said to lack full capacity: a guardian signs.",
        at="Consent.performer",
        inputs={"capacity": facts.capacity},
    )
