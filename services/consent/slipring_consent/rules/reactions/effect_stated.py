"""A reaction is closed only with its possible effect on the CT result."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.reactions.facts import ReactionFacts


@rule("consent.reaction-effect", clause="CL02-A011:4.13", weight="stop")
def closing_states_the_effect(facts: ReactionFacts, limits: Limits, now: datetime) -> Hit | None:
    """A reaction is closed only with its possible effect on the CT result."""
    if not facts.closed or facts.effect_on_result:
        return None
    return Hit(
        "结束不良反应记录前须填写对 CT 结果的可能影响。",
        "A reaction is closed only with its possible effect on the CT result.",
        at="AdverseEvent.extension('https://slipring.example/fhir/StructureDefinition/effect-on-result')",
    )
