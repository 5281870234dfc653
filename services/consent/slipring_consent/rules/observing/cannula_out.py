"""The cannula is taken out, and it is said, before the patient leaves."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.observing.facts import ReleaseFacts


@rule("consent.observation-cannula", clause="CL02-A011:5.4.4.1", weight="warn")
def the_cannula_is_out(facts: ReleaseFacts, limits: Limits, now: datetime) -> Hit | None:
    """The cannula is taken out, and it is said, before the patient leaves; a ward may go on using it."""
    at = "Task.output.where(type.coding.code='cannula-removed')"
    if facts.cannula == "not-said":
        return Hit("未注明留置针是否拔除。", "Nobody says whether the cannula was taken out.", at=at)
    if facts.cannula == "in-place" and facts.stays_here:
        return Hit("患者带留置针离开。", "The patient leaves with the cannula in.", at=at)
    return None
