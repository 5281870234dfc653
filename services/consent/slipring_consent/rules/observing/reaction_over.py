"""Nobody is released while a reaction goes on."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.observing.facts import ReleaseFacts


@rule("consent.observation-reaction", clause="CL02-A011:5.4.4.1", weight="stop")
def no_reaction_goes_on(facts: ReleaseFacts, limits: Limits, now: datetime) -> Hit | None:
    """Nobody is released while a reaction goes on; a hand-over, a physician or the patient's own leaving still ends it."""
    if facts.early or not facts.open_reaction:
        return None
    return Hit(
        "不良反应尚未结束，不能解除留观；可移交或由医师决定。",
        "A reaction is still open: hand the patient over, or let a physician decide.",
        at="Task.status",
    )
