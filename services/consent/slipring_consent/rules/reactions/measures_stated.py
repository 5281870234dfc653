"""A reaction is closed only with the measures that were taken."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.reactions.facts import ReactionFacts


@rule("consent.reaction-measures", clause="CL02-A011:4.13", weight="stop")
def closing_states_measures(facts: ReactionFacts, limits: Limits, now: datetime) -> Hit | None:
    """A reaction is closed only with the measures that were taken."""
    if not facts.closed or facts.measures:
        return None
    return Hit(
        "结束不良反应记录前须填写所采取的措施。",
        "A reaction is closed only with the measures that were taken.",
        at="AdverseEvent.extension('https://slipring.example/fhir/StructureDefinition/measures')",
    )
