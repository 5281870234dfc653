"""Vital signs are taken when observation begins and before the patient leaves."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.observing.facts import ReleaseFacts


@rule("consent.observation-vital-signs", clause="CL02-A011:5.4.4.1", weight="warn")
def vital_signs_are_taken(facts: ReleaseFacts, limits: Limits, now: datetime) -> Hit | None:
    """Vital signs are taken when observation begins and before the patient leaves."""
    if facts.recorded_late or (facts.signs_at_start and facts.signs_at_end):
        return None
    when_zh = "、".join(
        zh for zh, taken in (("开始时", facts.signs_at_start), ("离开前", facts.signs_at_end)) if not taken
    )
    when_en = " and ".join(
        en
        for en, taken in (("at the start", facts.signs_at_start), ("before leaving", facts.signs_at_end))
        if not taken
    )
    return Hit(
        f"留观{when_zh}未记录生命体征。",
        f"No vital signs were taken {when_en} of the observation.",
        at="Task.output.where(type.coding.code='vital-signs')",
    )
