"""What a reaction says of itself, as the rules of its closing see it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from slipring.fhir.service import Resource

from slipring_consent.reactions.grades import disagreeing, worst_of
from slipring_consent.reactions.said import (
    EXTRAVASATION,
    effect_of,
    kind_of,
    measures_of,
    outcome_known,
    parts_of,
    phase_of,
    symptoms_of,
)
from slipring_consent.reading import extensions


@dataclass(frozen=True, slots=True)
class ReactionFacts:
    """Whether a reaction is being closed, and whether it says what closing demands."""

    closed: bool = False
    kind: str = "allergic-like"  # "" when nobody has said it
    grade: str = "mild"  # mild | moderate | severe, the worst of all scales; "" when nobody has said it
    grades_disagree: bool = False
    onset: bool = True
    measures: bool = False
    outcome: bool = True
    effect_on_result: bool = False
    extravasation_described: bool = True  # volume, site and symptoms
    symptoms: tuple[str, ...] = ()  # of an extravasation


def reaction_facts(event: Resource) -> ReactionFacts:
    """What an AdverseEvent says about its closing."""
    described = [parts_of(one) for one in extensions(event, EXTRAVASATION)]
    return ReactionFacts(
        closed=phase_of(event) == "closed",
        kind=kind_of(event),
        grade=worst_of(event.get("severity")),
        grades_disagree=disagreeing(event.get("severity")),
        onset=bool(event.get("date")),
        measures=bool(measures_of(event)),
        outcome=outcome_known(event),
        effect_on_result=any(effect_of(event)),
        extravasation_described=any({"volume", "site", "symptom"} <= parts.keys() for parts in described),
        symptoms=tuple(symptoms_of(event)),
    )
