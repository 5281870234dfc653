"""Contrast is not given in manifest overactive thyroid."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts

RULE = "consent.thyroid"


@rule(RULE, clause="CL02-A011:5.4.1", weight="stop")
def thyroid_is_not_overactive(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Contrast is not given in manifest overactive thyroid."""
    at = "QuestionnaireResponse.item.where(linkId='hyperthyroidism')"
    if facts.hyperthyroidism == "no":
        return None
    if facts.hyperthyroidism == "unknown":
        return Hit(
            "甲状腺功能情况不明。",
            "Whether the thyroid is overactive is unknown.",
            at=at,
            inputs={"hyperthyroidism": "unknown"},
            weight=Weight.ASK,
        )
    weight = facts.policy.effect(RULE, "present")
    if weight is None:
        return None
    return Hit(
        "存在未控制的甲状腺功能亢进。",
        "The thyroid is overactive and not controlled.",
        at=at,
        inputs={"hyperthyroidism": "yes"},
        limit=facts.policy.limit(RULE),
        weight=weight,
    )
