"""The iodine given stays within the department's limits, whatever the strength, earlier doses counted."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.amounts import iodine_g, shown
from slipring_consent.contrast.facts import ContrastFacts
from slipring_consent.contrast.limits import decimal, per_weight


@rule("consent.iodine-limit", clause="CL02-A011:5.3.2.5", weight="stop")
def iodine_is_within_limits(facts: ContrastFacts, limits: Limits, now: datetime) -> Hit | None:
    """The iodine given stays within the department's limits, whatever the strength, earlier doses counted.

    Grams of iodine = ml times mg/ml over 1000; a stronger agent reaches the limit in a smaller volume.
    """
    at = "MedicationAdministration.dosage.dose"
    if facts.dose_ml is None or facts.lot in ("none", "unknown"):
        return None
    if not facts.strength_mg_ml:
        zh, en = "批次未注明碘浓度，无法计算总碘量。", "The lot states no strength: its iodine is not known."
        return Hit(zh, en, at="MedicationAdministration.medication", weight=Weight.ASK)
    if facts.earlier_unknown:
        zh = f"此前 {facts.earlier_unknown} 次注射未注明用量或浓度，合计剂量未知。"
        en = f"{facts.earlier_unknown} earlier injections state no volume or strength: the total is not known."
        return Hit(zh, en, at=at, weight=Weight.ASK)
    total = iodine_g(facts.dose_ml, facts.strength_mg_ml) + facts.earlier_iodine_g
    inputs = {"iodine_g": shown(total), "strength": shown(facts.strength_mg_ml)}
    per_kg, cap = per_weight(facts, limits, "iodine_g_per_kg"), limits.limit("contrast.iodine_g")
    if facts.weight_kg and total > decimal(per_kg) * facts.weight_kg:
        said, most = shown(total / facts.weight_kg), shown(decimal(per_kg))
        zh = f"总碘量 {shown(total)} g，每公斤 {said} g，超过 {most} g/kg。"
        en = f"{shown(total)} g of iodine are {said} g/kg, above {most} g/kg."
        return Hit(zh, en, at=at, inputs=inputs, limit=per_kg)
    if total > decimal(cap):
        zh = f"总碘量 {shown(total)} g，超过 {cap.value} g。"
        en = f"{shown(total)} g of iodine in all are above {cap.value} g."
        return Hit(zh, en, at=at, inputs=inputs, limit=cap)
    return None
