"""After records were merged or taken apart, contrast waits until a named person has confirmed who the patient is."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.gate.facts import GateFacts


@rule("consent.identity-confirmed", clause="CL02-A011:5.5.1.1", weight="stop")
def identity_is_confirmed(facts: GateFacts, limits: Limits, now: datetime) -> Hit | None:
    """After records were merged or taken apart, contrast waits until a named person has confirmed who the patient is."""
    if not facts.identity_waits:
        return None
    return Hit(
        "患者档案刚合并或拆分，须先由具名人员确认身份。",
        "The patient's records were merged or taken apart: a named person confirms the identity first.",
        at="MedicationAdministration.subject",
    )
