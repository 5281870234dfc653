"""Metformin and contrast go together only when renal function allows it."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import asked, egfr_in_words, egfr_seen, said

RULE = "consent.metformin"
_LINK = "metformin"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def metformin_is_managed(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Metformin and contrast go together only when renal function allows it.

    Acute kidney injury and dialysis count as the lowest function, whatever the last value says.
    """
    if facts.metformin == "no":
        return None
    inputs = {"metformin": facts.metformin, **egfr_seen(facts), "route": facts.route}
    if facts.metformin != "yes":
        return asked(
            "是否服用二甲双胍不明。", "Whether the patient takes metformin is unknown.", link=_LINK, inputs=inputs
        )
    case = _case(facts)
    if case == "unknown_function":
        zh, en = "服用二甲双胍而肾功能不明。", "The patient takes metformin and renal function is unknown."
        return asked(zh, en, link=_LINK, inputs=inputs)
    known = facts.egfr_ml_min is not None
    function = f"{egfr_in_words(facts)} ml/min/1.73 m" if known else ""
    return said(
        facts.policy,
        RULE,
        case,
        zh=f"患者服用二甲双胍，eGFR {f'{function}²' if known else '不明'}。",
        en=f"The patient takes metformin, eGFR {f'{function}2' if known else 'unknown'}.",
        link=_LINK,
        inputs=inputs,
    )


def _case(facts: ScreeningFacts) -> str:
    entry = facts.policy.entry(RULE)
    if facts.acute_kidney_injury == "yes" or facts.dialysis == "yes":
        return "below_severe"
    if facts.egfr_ml_min is None:
        return "unknown_emergency" if facts.stat else "unknown_function"
    if facts.egfr_may_be_below(entry["limit_severe_ml_min"]):
        return "below_severe"
    if facts.route == "arterial-first-pass":
        return "arterial_first_pass"
    return "below_reduced" if facts.egfr_may_be_below(entry.get("limit_reduced_ml_min", 0)) else "any_function"
