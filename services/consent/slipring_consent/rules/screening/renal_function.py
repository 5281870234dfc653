"""Renal function is known and in date before contrast is given."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import asked, said

RULE = "consent.renal-function"
_LINK = "kidney-disease"


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def renal_function_is_known(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Renal function is known and in date before contrast is given.

    Maintenance dialysis needs no value. A missing or too old value is unknown, and a physician decides, unless the
    pack asks for none: in an emergency, or of a patient who has answered every question about risks with no.
    """
    if facts.dialysis == "yes":
        return None
    egfr = facts.egfr_ml_min
    if egfr is None:
        return _without_a_value(facts)
    entry = facts.policy.entry(RULE)
    case = ""
    if egfr < entry["limit_severe_ml_min"]:
        case = "below_severe"
    elif egfr < entry["limit_reduced_ml_min"]:
        exposed = facts.route == "arterial-first-pass" or facts.intensive_care
        case = "below_reduced_exposed" if exposed else "below_reduced"
    return said(
        facts.policy,
        RULE,
        case,
        zh=f"eGFR {egfr} ml/min/1.73 m²，需权衡风险。",
        en=f"eGFR is {egfr} ml/min/1.73 m2: weigh the risk.",
        link=_LINK,
        inputs={"egfr_ml_min": egfr, "route": facts.route, "intensive_care": facts.intensive_care},
    )


def _without_a_value(facts: ScreeningFacts) -> Hit:
    zh, en = "无有效期内的肾功能（eGFR）结果。", "No renal function (eGFR) in date is known."
    inputs = {"egfr_ml_min": None, **_risks(facts)}
    case = "unknown_emergency" if facts.stat else "unknown_without_risk" if _no_risk(facts) else ""
    hit = said(facts.policy, RULE, case, zh=zh, en=en, link=_LINK, inputs=inputs)
    if hit is None:
        return asked(zh, en, link=_LINK, inputs=inputs)
    if case == "unknown_without_risk" and hit.limit and not hit.limit.confirmed:
        return replace(hit, weight=Weight.ASK)  # a list that nobody has confirmed clears nobody
    return hit


def _risks(facts: ScreeningFacts) -> dict[str, str]:
    """The answers that decide whether the pack asks for a value."""
    named = facts.policy.entry(RULE).get("risk_factors", ())
    return {str(name): str(getattr(facts, name)) for name in named}


def _no_risk(facts: ScreeningFacts) -> bool:
    """Whether every question about risks is answered with no: one that is not answered is no "no"."""
    risks, oldest = _risks(facts), facts.policy.entry(RULE).get("risk_above_years")
    young = oldest is None or (facts.age_years is not None and facts.age_years <= oldest)
    return bool(risks) and set(risks.values()) == {"no"} and young and facts.route == "intravenous"
