"""Contrast is given for an exam that is known here, still wanted, and of this patient."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.gate.facts import GateFacts


@rule("consent.gate-exam", clause="CL02-A011:5.4.1", weight="stop")
def exam_still_stands(facts: GateFacts, limits: Limits, now: datetime) -> Hit | None:
    """Contrast is given for an exam that is known here, still wanted, and of this patient."""
    if facts.exam_known and facts.exam_active and facts.same_patient:
        return None
    return Hit(
        "对比剂须用于本系统已知、仍有效且属于该患者的检查申请。",
        "Contrast is given for a request that is known here, still active, and of this patient.",
        at="MedicationAdministration.supportingInformation",
    )
