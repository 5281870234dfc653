"""A critical patient is never alone."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.rooms.facts import StartFacts


@rule("order.critical-attended", clause="CL02-A011:5.4.4.1", weight="stop")
def a_clinician_attends_a_critical_patient(start: StartFacts, limits: Limits, now: datetime) -> Hit | None:
    """A critical patient is attended by a clinician throughout, and his name is on record."""
    if not (start.critical or start.stat) or start.attendant:
        return None
    return Hit(
        "危重患者须有临床人员全程陪同，尚未记录陪同人员。",
        "A critical patient is attended by clinical staff throughout: no attending clinician is named.",
        at="Task.input",
        weight=Weight.ASK if start.stat else None,
    )
