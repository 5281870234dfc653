"""A grade given in two scales means the same in both."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.reactions.facts import ReactionFacts


@rule("consent.reaction-grades-agree", clause="CL02-A011:4.13", weight="warn")
def grades_of_two_scales_agree(facts: ReactionFacts, limits: Limits, now: datetime) -> Hit | None:
    """A grade given in two scales means the same in both."""
    if not facts.grades_disagree:
        return None
    return Hit(
        "两种分级的严重程度不一致，按较重者处理，请核对。",
        "The grades in two scales mean different things; the worse one counts.",
        at="AdverseEvent.severity",
    )
