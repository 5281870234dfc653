"""Metformin and contrast go together only when renal function allows it."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts

RULE = "consent.metformin"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def metformin_is_managed(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Metformin and contrast go together only when renal function allows it."""
    at = "QuestionnaireResponse.item.where(linkId='metformin')"
    if facts.metformin == "no":
        return None
    if facts.metformin == "unknown":
        return Hit(
            "是否服用二甲双胍不明。",
            "Whether the patient takes metformin is unknown.",
            at=at,
            inputs={"metformin": "unknown"},
            weight=Weight.ASK,
        )
    entry = facts.policy.entry(RULE)
    egfr = facts.egfr_ml_min
    if egfr is None:
        return Hit(
            "服用二甲双胍而肾功能不明。",
            "The patient takes metformin and renal function is unknown.",
            at=at,
            inputs={"metformin": "yes", "egfr_ml_min": None},
            weight=Weight.ASK,
        )
    weight = facts.policy.effect(RULE, "below_severe" if egfr < entry["limit_severe_ml_min"] else "any_function")
    if weight is None:
        return None
    hours = entry["recheck_hours"]
    return Hit(
        f"使用对比剂起停用二甲双胍，{hours} 小时后复查肾功能再恢复。",
        f"Stop metformin from the time of contrast; check renal function after {hours} h before it is taken again.",
        at=at,
        inputs={"metformin": "yes", "egfr_ml_min": egfr},
        limit=facts.policy.limit(RULE),
        weight=weight,
    )
