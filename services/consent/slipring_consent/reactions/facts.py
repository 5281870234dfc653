"""What a reaction says about its closing. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.reading import extension_value, has_code

OUTCOME = "http://terminology.hl7.org/CodeSystem/adverse-event-outcome"
STILL_OPEN = ("recovering", "ongoing", "unknown")


@dataclass(frozen=True, slots=True)
class ReactionFacts:
    """Whether a reaction is being closed, and whether it says what closing demands."""

    closed: bool = False
    measures: bool = False
    effect_on_result: bool = False


def reaction_facts(event: Resource) -> ReactionFacts:
    """What an AdverseEvent says about its closing."""
    outcome = event.get("outcome")
    return ReactionFacts(
        closed=bool(outcome) and not any(has_code(outcome, OUTCOME, code) for code in STILL_OPEN),
        measures=bool(extension_value(event, f"{CANONICAL}/StructureDefinition/measures")),
        effect_on_result=bool(extension_value(event, f"{CANONICAL}/StructureDefinition/effect-on-result")),
    )
