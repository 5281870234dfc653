"""The planned dose is stated before contrast is given."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.facts import ContrastFacts


@rule("consent.dose-stated", clause="CL02-A011:5.5.3", weight="ask")
def dose_is_stated(facts: ContrastFacts, limits: Limits, now: datetime) -> Hit | None:
    """The planned dose is stated before contrast is given."""
    if facts.dose_ml is not None and facts.dose_ml > 0:
        return None
    zh, en = "未注明计划剂量（毫升）。", "The planned dose (ml) is not stated."
    return Hit(zh, en, at="MedicationAdministration.dosage.dose")
