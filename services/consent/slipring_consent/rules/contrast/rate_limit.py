"""The flow is one that the cannula in place bears."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.amounts import shown
from slipring_consent.contrast.facts import ContrastFacts


@rule("consent.rate-limit", clause="CL02-A011:5.3.2.5", weight="stop")
def flow_fits_the_cannula(facts: ContrastFacts, limits: Limits, now: datetime) -> Hit | None:
    """The flow is one that the cannula in place bears.

    A flow that every cannula bears asks nothing; above it the gauge is to be said. The higher the gauge, the thinner.
    """
    if facts.rate_ml_s is None:
        return None
    limit = limits.limit("contrast.cannula_ml_per_s")
    bears = {name: Decimal(str(most)) for name, most in limit.value.items()}
    gauge = "" if facts.gauge is None else str(facts.gauge)
    most = bears.get(gauge, min(bears.values()))
    if facts.rate_ml_s <= most:
        return None
    rate, inputs = shown(facts.rate_ml_s), {"rate": shown(facts.rate_ml_s), "gauge": gauge}
    if gauge in bears:
        zh = f"流速 {rate} ml/s 超过 {gauge}G 留置针的 {shown(most)} ml/s。"
        en = f"{rate} ml/s are above the {shown(most)} ml/s of a {gauge} G cannula."
        return Hit(zh, en, at="MedicationAdministration.dosage.rate", inputs=inputs, limit=limit)
    known = ", ".join(f"{name} G" for name in bears)
    zh = f"流速 {rate} ml/s，须注明留置针型号（{known}）。"
    en = f"At {rate} ml/s the gauge of the cannula is to be stated ({known})."
    return Hit(zh, en, at="MedicationAdministration.extension", inputs=inputs, weight=Weight.ASK)
