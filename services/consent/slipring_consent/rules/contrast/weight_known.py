"""The patient's weight is known, and not from long ago."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.amounts import shown
from slipring_consent.contrast.facts import ContrastFacts
from slipring_consent.contrast.limits import is_adult


@rule("consent.weight-known", clause="CL02-A011:5.3.2.5", weight="ask")
def weight_is_known(facts: ContrastFacts, limits: Limits, now: datetime) -> Hit | None:
    """The patient's weight is known, and not from long ago.

    A dose per weight is judged by a weight on record; none is assumed. A child's weight is soon another one.
    """
    at = "MedicationAdministration.subject"
    if not facts.weight_kg:
        zh, en = "没有患者体重记录（LOINC 29463-7）。", "No body weight is on record (LOINC 29463-7)."
        return Hit(zh, en, at=at)
    limit = limits.limit(f"contrast.weight_days_{'adult' if is_adult(facts, limits) else 'child'}")
    if facts.weight_days <= limit.value:
        return None
    days = shown(facts.weight_days)
    return Hit(
        f"体重记录已有 {days} 天（限 {limit.value} 天）。",
        f"The body weight is {days} days old (at most {limit.value}).",
        at=at,
        inputs={"days": days},
        limit=limit,
    )
