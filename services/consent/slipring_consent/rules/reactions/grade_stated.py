"""A reaction is closed only with its grade of severity."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.reactions.facts import ReactionFacts


@rule("consent.reaction-grade", clause="CL02-A011:4.13", weight="stop")
def closing_states_the_grade(facts: ReactionFacts, limits: Limits, now: datetime) -> Hit | None:
    """A reaction is closed only with its grade of severity."""
    if not facts.closed or facts.grade:
        return None
    return Hit(
        "结束不良反应记录前须注明严重程度分级。",
        "A reaction is closed only with its grade of severity.",
        at="AdverseEvent.severity",
    )
