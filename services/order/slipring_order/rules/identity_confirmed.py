"""After a merge somebody looks again who the patient is."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.rooms.facts import StartFacts


@rule("order.identity-confirmed", clause="CL02-A011:5.5.1.1", weight="stop")
def merged_records_are_confirmed(start: StartFacts, limits: Limits, now: datetime) -> Hit | None:
    """When a patient's records were merged or taken apart, a named person confirms the identity before the scan."""
    if not start.identity_waits:
        return None
    return Hit(
        "患者档案刚合并或拆分，须先由具名人员确认身份。",
        "The patient's records were merged or taken apart: a named person confirms the identity first.",
        at="Task.for",
        weight=Weight.ASK if start.stat else None,
    )
