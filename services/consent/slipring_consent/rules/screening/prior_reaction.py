"""An earlier reaction to contrast is known, and a severe one forbids contrast."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts

RULE = "consent.prior-reaction"


_GRADES = {"mild": "轻度", "moderate": "中度", "severe": "重度"}


@rule(RULE, clause="CL02-A011:5.4.1", weight="stop")
def prior_reaction_is_weighed(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """An earlier reaction to contrast is known, and a severe one forbids contrast.

    Unknown is not "none": a physician decides.
    """
    grade = facts.prior_reaction
    at = "QuestionnaireResponse.item.where(linkId='prior-reaction')"
    if grade == "none":
        return None
    if grade == "unknown":
        return Hit(
            "既往对比剂反应情况不明。",
            "Whether there was an earlier reaction to contrast is unknown.",
            at=at,
            inputs={"prior_reaction": grade},
            weight=Weight.ASK,
        )
    weight = facts.policy.effect(RULE, grade)
    if weight is None:
        return None
    return Hit(
        f"既往有{_GRADES[grade]}对比剂不良反应。",
        f"There was an earlier {grade} reaction to contrast.",
        at=at,
        inputs={"prior_reaction": grade},
        limit=facts.policy.limit(RULE),
        weight=weight,
    )
