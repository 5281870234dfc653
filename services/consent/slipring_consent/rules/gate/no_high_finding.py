"""No finding that forbids contrast is open."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.gate.facts import GateFacts


@rule("consent.no-high-finding", clause="CL02-A011:5.3.2.5", weight="stop")
def no_high_finding_is_open(facts: GateFacts, limits: Limits, now: datetime) -> Hit | None:
    """No finding that forbids contrast is open."""
    if not facts.high_findings:
        return None
    named = ", ".join(facts.high_findings)
    return Hit(
        f"存在禁止使用对比剂的未处理发现：{named}。",
        f"A finding that forbids contrast is open: {named}.",
        at="MedicationAdministration.supportingInformation",
        inputs={"rules": named},
    )
