"""Metformin and contrast go together only when renal function allows it."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import asked, said

RULE = "consent.metformin"
_LINK = "metformin"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def metformin_is_managed(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Metformin and contrast go together only when renal function allows it.

    Acute kidney injury and dialysis count as the lowest function, whatever the last value says.
    """
    if facts.metformin == "no":
        return None
    inputs = {"metformin": facts.metformin, "egfr_ml_min": facts.egfr_ml_min, "route": facts.route}
    if facts.metformin != "yes":
        return asked(
            "是否服用二甲双胍不明。", "Whether the patient takes metformin is unknown.", link=_LINK, inputs=inputs
        )
    case = _case(facts)
    if case == "unknown_function":
        zh, en = "服用二甲双胍而肾功能不明。", "The patient takes metformin and renal function is unknown."
        return asked(zh, en, link=_LINK, inputs=inputs)
    function = "不明" if facts.egfr_ml_min is None else f"{facts.egfr_ml_min} ml/min/1.73 m²"
    return said(
        facts.policy,
        RULE,
        case,
        zh=f"患者服用二甲双胍，eGFR {function}。",
        en=f"The patient takes metformin, eGFR {function.replace('不明', 'unknown').replace('²', '2')}.",
        link=_LINK,
        inputs=inputs,
    )


def _case(facts: ScreeningFacts) -> str:
    entry, egfr = facts.policy.entry(RULE), facts.egfr_ml_min
    if facts.acute_kidney_injury == "yes" or facts.dialysis == "yes":
        return "below_severe"
    if egfr is None:
        return "unknown_emergency" if facts.stat else "unknown_function"
    if egfr < entry["limit_severe_ml_min"]:
        return "below_severe"
    if facts.route == "arterial-first-pass":
        return "arterial_first_pass"
    return "below_reduced" if egfr < entry.get("limit_reduced_ml_min", 0) else "any_function"
