"""The volume stays within the department's limits per weight and in all, earlier doses counted."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.amounts import shown
from slipring_consent.contrast.facts import ContrastFacts
from slipring_consent.contrast.limits import decimal, earlier_en, earlier_zh, per_weight


@rule("consent.dose-limit", clause="CL02-A011:5.3.2.5", weight="stop")
def volume_is_within_limits(facts: ContrastFacts, limits: Limits, now: datetime) -> Hit | None:
    """The volume stays within the department's limits per weight and in all, earlier doses counted.

    ml per kg for adults and for children, and a cap for both; who may be a child or an adult is judged by the lower number.
    """
    if facts.dose_ml is None:
        return None
    total, at = facts.dose_ml + facts.earlier_ml, "MedicationAdministration.dosage.dose"
    inputs = {"total_ml": shown(total), "earlier_ml": shown(facts.earlier_ml)}
    per_kg, cap = per_weight(facts, limits, "ml_per_kg"), limits.limit("contrast.adult_ml")
    if facts.weight_kg and total > decimal(per_kg) * facts.weight_kg:
        said, most = shown(total / facts.weight_kg), shown(decimal(per_kg))
        zh = f"合计 {shown(total)} ml，每公斤 {said} ml，超过 {most} ml/kg。"
        en = f"{shown(total)} ml in all are {said} ml/kg, above {most} ml/kg."
        return Hit(zh + earlier_zh(facts), en + earlier_en(facts), at=at, inputs=inputs, limit=per_kg)
    if total > decimal(cap):
        zh, en = f"合计 {shown(total)} ml，超过 {cap.value} ml。", f"{shown(total)} ml in all are above {cap.value} ml."
        return Hit(zh + earlier_zh(facts), en + earlier_en(facts), at=at, inputs=inputs, limit=cap)
    return None
