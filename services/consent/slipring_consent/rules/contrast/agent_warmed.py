"""Contrast is warmed to about body temperature."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.contrast.amounts import shown
from slipring_consent.contrast.facts import ContrastFacts


@rule("consent.agent-warmed", clause="CL02-A011:5.3.2.5", weight="warn")
def agent_is_warmed(facts: ContrastFacts, limits: Limits, now: datetime) -> Hit | None:
    """Contrast is warmed to about body temperature.

    Advised: warm contrast flows at lower pressure. It stops nobody.
    """
    if facts.temperature_c is None:
        return None
    limit = limits.limit("contrast.warm_celsius")
    lowest, highest = (Decimal(str(bound)) for bound in limit.value)
    if lowest <= facts.temperature_c <= highest:
        return None
    said = shown(facts.temperature_c)
    return Hit(
        f"对比剂温度 {said} ℃，建议加温至 37 ℃。",
        f"The agent is at {said} degrees Celsius; 37 is advised.",
        at="MedicationAdministration.extension",
        inputs={"celsius": said},
        limit=limit,
    )
