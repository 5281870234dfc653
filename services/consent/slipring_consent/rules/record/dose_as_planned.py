"""What was given is about what was planned."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.amounts import shown
from slipring_consent.contrast.limits import decimal
from slipring_consent.contrast.record import RecordFacts


@rule("consent.dose-as-planned", clause="CL02-A011:4.13", weight="warn")
def dose_is_as_planned(facts: RecordFacts, limits: Limits, now: datetime) -> Hit | None:
    """What was given is about what was planned."""
    if facts.planned_ml is None or facts.given_ml is None:
        return None
    limit = limits.limit("contrast.differs_from_plan")
    if abs(facts.given_ml - facts.planned_ml) * 100 <= decimal(limit) * facts.planned_ml:
        return None
    given, planned = shown(facts.given_ml), shown(facts.planned_ml)
    return Hit(
        f"实际用量 {given} ml 与计划的 {planned} ml 相差超过 {limit.value}%。",
        f"{given} ml were given and {planned} ml planned: more than {limit.value} % apart.",
        at="MedicationAdministration.dosage.dose",
        inputs={"given_ml": given, "planned_ml": planned},
        limit=limit,
    )
