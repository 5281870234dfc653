"""Asthma is known before contrast is given."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts

RULE = "consent.asthma"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def asthma_is_weighed(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Asthma is known before contrast is given."""
    at = "QuestionnaireResponse.item.where(linkId='asthma')"
    if facts.asthma == "no":
        return None
    if facts.asthma == "unknown":
        return Hit(
            "是否有哮喘不明。",
            "Whether the patient has asthma is unknown.",
            at=at,
            inputs={"asthma": "unknown"},
            weight=Weight.ASK,
        )
    weight = facts.policy.effect(RULE, "present")
    if weight is None:
        return None
    return Hit(
        "患者有哮喘。",
        "The patient has asthma.",
        at=at,
        inputs={"asthma": "yes"},
        limit=facts.policy.limit(RULE),
        weight=weight,
    )
