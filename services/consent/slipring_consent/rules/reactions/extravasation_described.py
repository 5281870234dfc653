"""An extravasation is closed only with its volume, site and symptoms."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_consent.reactions.facts import ReactionFacts


@rule("consent.reaction-extravasation", clause="CL02-A011:4.13", weight="stop")
def closing_describes_an_extravasation(facts: ReactionFacts, limits: Limits, now: datetime) -> Hit | None:
    """An extravasation is closed only with its volume, site and symptoms."""
    if not facts.closed or facts.kind != "extravasation" or facts.extravasation_described:
        return None
    return Hit(
        "结束外渗记录前须填写外渗量、部位和症状。",
        "An extravasation is closed only with its volume, site and symptoms.",
        at="AdverseEvent.extension('https://slipring.example/fhir/StructureDefinition/extravasation')",
    )
