"""Contrast is given by a named, qualified person: CT nursing training or a physician."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.gate.facts import GateFacts


@rule("consent.performer-qualified", clause="CL02-A011:5.1.2", weight="stop")
def performer_is_qualified(facts: GateFacts, limits: Limits, now: datetime) -> Hit | None:
    """Contrast is given by a named, qualified person: CT nursing training or a physician."""
    at = "MedicationAdministration.performer"
    if facts.performers == 0:
        return Hit("未注明由谁给药。", "Nobody is named who gives the contrast.", at=at)
    if facts.unqualified_en:
        return Hit(
            f"给药人员不具备资格：{facts.unqualified_zh}",
            f"The person named may not give contrast: {facts.unqualified_en}",
            at=at,
        )
    return None
