"""What a screening rule says when a pack gives a case weight: the statement, then the pack's own advice. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slipring.rules.finding import Hit, Weight

from slipring_consent.screening.facts import ScreeningFacts
from slipring_consent.screening.packs import Policy


def question(link: str) -> str:
    """Where the answer to a question of the screening form stands."""
    return f"QuestionnaireResponse.item.where(linkId='{link}')"


def said(policy: Policy, rule: str, case: str, *, zh: str, en: str, link: str, inputs: Mapping[str, Any]) -> Hit | None:
    """What the pack makes of this case of a rule; None where the pack gives it no weight."""
    weight = policy.effect(rule, case)
    if weight is None:
        return None
    advice_zh, advice_en = policy.advice(rule, case)
    return Hit(
        f"{zh}{advice_zh}",
        f"{en} {advice_en}".strip(),
        at=question(link),
        inputs={**inputs, "case": case},
        limit=policy.limit(rule),
        weight=weight,
    )


def asked(zh: str, en: str, *, link: str, inputs: Mapping[str, Any]) -> Hit:
    """Unknown is never "no": whatever the pack, a physician decides."""
    return Hit(zh, en, at=question(link), inputs=inputs, weight=Weight.ASK)


def condition(policy: Policy, rule: str, state: str, *, zh: str, en: str, link: str) -> Hit | None:
    """The finding for a condition that the patient has; what is unknown here is told by the rule about the history."""
    if state != "yes":
        return None
    return said(policy, rule, "present", zh=zh, en=en, link=link, inputs={link.replace("-", "_"): state})


def egfr_in_words(facts: ScreeningFacts) -> str:
    """The eGFR with its comparator, as in "<15"."""
    return f"{facts.egfr_comparator}{facts.egfr_ml_min}"


def egfr_seen(facts: ScreeningFacts) -> dict[str, Any]:
    """What a finding tells about renal function: value, formula, when the sample was taken, or why there is none."""
    return {
        "egfr_ml_min": facts.egfr_ml_min,
        "egfr_comparator": facts.egfr_comparator,
        "egfr_formula": facts.egfr_formula,
        "egfr_at": facts.egfr_at,
        "egfr_too_old_ml_min": facts.egfr_too_old_ml_min,
        "egfr_missing": facts.egfr_missing,
    }
