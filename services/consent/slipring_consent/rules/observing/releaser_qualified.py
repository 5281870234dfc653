"""Whoever releases a patient from observation is qualified for it."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.observing.facts import ReleaseFacts


@rule("consent.observation-releaser", clause="CL02-A011:5.4.4.1", weight="stop")
def who_releases_is_qualified(facts: ReleaseFacts, limits: Limits, now: datetime) -> Hit | None:
    """Whoever releases a patient from observation is qualified for it."""
    if not facts.named or not facts.unqualified_en:
        return None
    return Hit(
        f"该人员不得解除留观：{facts.unqualified_zh}",
        f"The person named may not release from observation: {facts.unqualified_en}",
        at="Task.owner",
    )
