"""A named person releases the patient from observation."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.observing.facts import ReleaseFacts


@rule("consent.observation-owner", clause="CL02-A011:5.4.4.1", weight="stop")
def a_named_person_releases(facts: ReleaseFacts, limits: Limits, now: datetime) -> Hit | None:
    """A named person releases the patient from observation."""
    if facts.named:
        return None
    return Hit("解除留观须由具名人员负责。", "A named person releases the patient from observation.", at="Task.owner")
