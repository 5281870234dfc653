"""A reaction is closed only with its kind: allergic-like, physiologic or extravasation."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.reactions.facts import ReactionFacts


@rule("consent.reaction-kind", clause="CL02-A011:4.13", weight="stop")
def closing_states_the_kind(facts: ReactionFacts, limits: Limits, now: datetime) -> Hit | None:
    """A reaction is closed only with its kind: allergic-like, physiologic or extravasation."""
    if not facts.closed or facts.kind:
        return None
    return Hit(
        "结束不良反应记录前须注明反应类型。",
        "A reaction is closed only with its kind: allergic-like, physiologic or extravasation.",
        at="AdverseEvent.event",
    )
