"""Renal function is known and in date before contrast is given."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.said import asked, egfr_in_words, egfr_seen, said

RULE = "consent.renal-function"
_LINK = "kidney-disease"
_MISSING = {
    "too-old": ("：最近一次已过有效期", ": the last one is too old"),
    "birth-date": ("：出生日期不全，无法由肌酐计算", ": without a whole birth date creatinine says none"),
    "sex": ("：性别不明，无法由肌酐计算", ": without a sex creatinine says none"),
    "height": ("：儿童缺身高，无法由肌酐计算", ": without a child's height creatinine says none"),
    "unit": ("：结果单位无法识别", ": its unit is not understood"),
    "formula": ("：所用公式不适用于该年龄", ": no formula that holds at this age gives one"),
    "preliminary": ("：最新结果尚未审核", ": the newest result is not yet verified"),
    "time": ("：结果未注明时间", ": nothing says when the result was taken"),
}


@rule(RULE, clause="CL02-A011:5.4.1", weight="warn")
def renal_function_is_known(facts: ScreeningFacts, limits: Limits, now: datetime) -> Hit | None:
    """Renal function is known and in date before contrast is given.

    Maintenance dialysis needs no value. A missing or too old value is unknown, and a physician decides, save in
    an emergency; where every question about risks is answered with no he is told that the pack asks for no value.
    """
    if facts.dialysis == "yes":
        return None
    if facts.egfr_ml_min is None:
        return _without_a_value(facts)
    entry = facts.policy.entry(RULE)
    case = ""
    if facts.egfr_may_be_below(entry["limit_severe_ml_min"]):
        case = "below_severe"
    elif facts.egfr_may_be_below(entry["limit_reduced_ml_min"]):
        exposed = facts.route == "arterial-first-pass" or facts.intensive_care
        case = "below_reduced_exposed" if exposed else "below_reduced"
    return said(
        facts.policy,
        RULE,
        case,
        zh=f"eGFR {egfr_in_words(facts)} ml/min/1.73 m²，需权衡风险。",
        en=f"eGFR is {egfr_in_words(facts)} ml/min/1.73 m2: weigh the risk.",
        link=_LINK,
        inputs={**egfr_seen(facts), "route": facts.route, "intensive_care": facts.intensive_care},
    )


def _without_a_value(facts: ScreeningFacts) -> Hit:
    why_zh, why_en = _MISSING.get(facts.egfr_missing, ("", ""))
    zh, en = f"无有效期内的肾功能（eGFR）结果{why_zh}。", f"No renal function (eGFR) in date is known{why_en}."
    inputs = {**egfr_seen(facts), **_risks(facts)}
    case = "unknown_emergency" if facts.stat else "unknown_without_risk" if _no_risk(facts) else ""
    hit = said(facts.policy, RULE, case, zh=zh, en=en, link=_LINK, inputs=inputs)
    return hit or asked(zh, en, link=_LINK, inputs=inputs)


def _risks(facts: ScreeningFacts) -> dict[str, str]:
    """The answers that decide whether the pack asks for a value."""
    named = facts.policy.entry(RULE).get("risk_factors", ())
    return {str(name): str(getattr(facts, name)) for name in named}


def _no_risk(facts: ScreeningFacts) -> bool:
    """Whether every question about risks is answered with no: one that is not answered is no "no".

    A sample that says nothing, because a birth date, a sex or a unit is missing, and a last value that was low, are risks.
    """
    entry, risks = facts.policy.entry(RULE), _risks(facts)
    age, last = facts.age_years, facts.egfr_too_old_ml_min
    young = age is not None and age <= entry.get("risk_above_years", age)
    well = facts.egfr_missing in ("", "no-sample") or (last is not None and last >= entry["limit_reduced_ml_min"])
    return bool(risks) and set(risks.values()) == {"no"} and young and well and facts.route == "intravenous"
