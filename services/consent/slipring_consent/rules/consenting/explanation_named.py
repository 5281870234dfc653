"""A consent says who explained the examination to the patient, and when."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.consenting.facts import ConsentFacts


@rule("consent.explanation", clause="CL02-A011:5.4.1", weight="warn")
def was_explained(facts: ConsentFacts, limits: Limits, now: datetime) -> Hit | None:
    """A consent says who explained the examination to the patient, and when."""
    if facts.explained_by and facts.explained_at is not None:
        return None
    return Hit(
        "未注明由谁、在何时向患者说明。",
        "It is not stated who explained the examination, and when.",
        at="Consent.verification",
    )
