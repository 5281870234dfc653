"""What the rules left to a physician was decided by one: unknown is never no."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.gate.facts import GateFacts


@rule("consent.questions-decided", clause="CL02-A011:5.3.2.5", weight="stop")
def every_question_is_decided(facts: GateFacts, limits: Limits, now: datetime) -> Hit | None:
    """What the rules left to a physician was decided by one: unknown is never no."""
    if not facts.open_questions:
        return None
    named = ", ".join(facts.open_questions)
    return Hit(
        f"尚待医师决定（未知不等于没有）：{named}。",
        f"A physician has to decide (unknown is never no): {named}.",
        at="MedicationAdministration.supportingInformation",
        inputs={"rules": named},
    )
