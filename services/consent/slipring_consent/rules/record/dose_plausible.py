"""The volume on record is one that can have been given."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.amounts import shown
from slipring_consent.contrast.limits import decimal
from slipring_consent.contrast.record import RecordFacts


@rule("consent.dose-plausible", clause="CL02-A011:4.13", weight="warn")
def dose_is_plausible(facts: RecordFacts, limits: Limits, now: datetime) -> Hit | None:
    """The volume on record is one that can have been given."""
    if facts.given_ml is None:
        return None
    limit = limits.limit("contrast.plausible_ml")
    if 0 < facts.given_ml <= decimal(limit):
        return None
    given = shown(facts.given_ml)
    return Hit(
        f"记录的用量 {given} ml 不可信，请核对。",
        f"{given} ml on record can hardly be true; look again.",
        at="MedicationAdministration.dosage.dose",
        inputs={"given_ml": given},
        limit=limit,
    )
