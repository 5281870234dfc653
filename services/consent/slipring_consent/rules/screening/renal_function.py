"""Renal function is known and in date before contrast is given."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts

RULE = "consent.renal-function"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def renal_function_is_known(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Renal function is known and in date before contrast is given.

    Maintenance dialysis needs no value. A missing or too old value is unknown, and a physician decides.
    """
    if facts.dialysis == "yes":
        return None
    at = "QuestionnaireResponse.item.where(linkId='kidney-disease')"
    if facts.egfr_ml_min is None:
        return Hit(
            "无有效期内的肾功能（eGFR）结果。",
            "No renal function (eGFR) in date is known.",
            at=at,
            inputs={"egfr_ml_min": None},
            weight=Weight.ASK,
        )
    entry = facts.policy.entry(RULE)
    case = ""
    if facts.egfr_ml_min < entry["limit_severe_ml_min"]:
        case = "below_severe"
    elif facts.egfr_ml_min < entry["limit_reduced_ml_min"]:
        case = "below_reduced"
    weight = facts.policy.effect(RULE, case)
    if weight is None:
        return None
    return Hit(
        f"eGFR {facts.egfr_ml_min} ml/min/1.73 m²，需权衡风险并预防。",
        f"eGFR is {facts.egfr_ml_min} ml/min/1.73 m2: weigh the risk, consider prophylaxis.",
        at=at,
        inputs={"egfr_ml_min": facts.egfr_ml_min},
        limit=facts.policy.limit(RULE),
        weight=weight,
    )
