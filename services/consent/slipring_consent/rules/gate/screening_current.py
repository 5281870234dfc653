"""Contrast is given only after this patient was screened for this exam."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.gate.facts import GateFacts


@rule("consent.screening-current", clause="CL02-A011:5.4.1", weight="stop")
def screening_is_complete(facts: GateFacts, limits: Limits, now: datetime) -> Hit | None:
    """Contrast is given only after this patient was screened for this exam."""
    if facts.screening == "completed":
        return None
    return Hit(
        "本次检查的对比剂筛查尚未完成。",
        "The screening for this exam is not complete.",
        at="MedicationAdministration.supportingInformation",
    )
