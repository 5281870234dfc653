"""Contrast is given only with an active consent, in date, for this very exam."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.gate.facts import GateFacts

_STATES = {
    "none": ("没有针对本次检查的知情同意。", "There is no consent for this exam."),
    "sign-again": (
        "知情同意因一份误录的拒绝而终止，患者并未撤回；须重新签署后方可使用对比剂。",
        "A refusal recorded in error ended the consent; the patient took nothing back, but has to sign again ($consent-text, $sign).",
    ),
    "refused": ("患者拒绝使用对比剂。", "The patient refused contrast."),
    "withdrawn": ("知情同意已撤回。", "The consent was withdrawn."),
    "expired": ("知情同意已过期。", "The consent has expired."),
    "not-yet": ("知情同意尚未生效。", "The consent is not yet valid."),
}


@rule("consent.consent-valid", clause="CL02-A011:5.4.1", weight="stop")
def consent_is_valid(facts: GateFacts, limits: Limits, now: datetime) -> Hit | None:
    """Contrast is given only with an active consent, in date, for this very exam."""
    if facts.consent in ("active", "emergency-exception"):
        return None
    zh, en = _STATES[facts.consent]
    return Hit(zh, en, at="MedicationAdministration.supportingInformation", inputs={"consent": facts.consent})
