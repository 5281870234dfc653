"""Earlier reactions to contrast, from every carrier that tells of one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from slipring.fhir.service import CANONICAL, Resource
from slipring.rules.contrast import says_contrast_reaction

from slipring_consent.catalogue import data_file
from slipring_consent.contrast.agents import (
    Coding,
    agent_of,
    agent_of_allergy,
    is_contrast_agent,
    is_contrast_allergy,
)
from slipring_consent.reactions.allergy import FROM_REACTION
from slipring_consent.reactions.said import happened, stands_as_allergy
from slipring_consent.reading import codes_in, extension_value, reference_of
from slipring_consent.screening.answers import UNKNOWN, agents_answered, answers_of, one_of
from slipring_consent.screening.evidence import Evidence
from slipring_consent.screening.history import is_wrong, stands
from slipring_consent.screening.words import names

GRADES = ("none", UNKNOWN, "mild", "moderate", "severe")  # from the least to the worst
KINDS = ("allergic-like", "physiologic")
_REACTION_TYPE = f"{CANONICAL}/CodeSystem/reaction-type"


@dataclass(frozen=True, slots=True)
class Told:
    """One earlier reaction: how bad, of which kind, to which agent (ATC); unknown and empty where nobody says."""

    grade: str = UNKNOWN
    kind: str = UNKNOWN
    agent: str = ""
    by: Resource | None = None  # the record that tells of it; None for an answer


def reactions_told(evidence: Evidence) -> list[Told]:
    """All earlier reactions to contrast that stand; an answered "none" is no reaction and is not among them."""
    return [
        *_answered(evidence.response),
        *(told for allergy in evidence.of("AllergyIntolerance") for told in _of_allergy(allergy)),
        *(told for event in evidence.of("AdverseEvent") for told in _of_event(event, evidence)),
        *(
            Told(by=condition)
            for condition in evidence.of("Condition")
            if stands(condition) and _says_reaction(condition.get("code"))
        ),
    ]


def worst(grades: Iterable[str], answered: str) -> str:
    """The worst grade; a known reaction without one leaves the grade unknown, whatever else was answered."""
    return max([answered, *grades], key=GRADES.index)


def agents_of_worst(told: Iterable[Told], grade: str) -> tuple[str, ...]:
    """The agents (ATC) that the worst reactions were to; none where one of them was to an agent that nobody knows.

    An answer that names no agent is taken for the reaction on record, where there is one of the same grade.
    """
    worst_ones = [one for one in told if one.grade == grade]
    recorded = [one for one in worst_ones if one.by is not None]
    agents = {one.agent for one in worst_ones if one.agent or one.by is not None or not recorded}
    return () if "" in agents else tuple(sorted(agents))


def severe_allergies(evidence: Evidence) -> list[Resource]:
    """The severe allergies to different things that stand, contrast not among them."""
    found: dict[object, Resource] = {}
    for allergy in evidence.of("AllergyIntolerance"):
        codings = codes_in(allergy.get("code"))
        severe = allergy.get("criticality") == "high" or any(
            one.get("severity") == "severe" for one in allergy.get("reaction", [])
        )
        if stands(allergy) and severe and not is_contrast_allergy(allergy):
            found[tuple(codings) or str(allergy.get("code", {}).get("text") or allergy.get("id"))] = allergy
    return list(found.values())


def _is_coded_reaction(concept: Resource | None) -> bool:
    return names(concept, data_file("history.toml")["contrast_reaction"])


def _says_reaction(concept: Resource | None) -> bool:
    return _is_coded_reaction(concept) or says_contrast_reaction(concept)


def _answered(response: Resource | None) -> Iterator[Told]:
    answers = answers_of(response)
    grade = one_of(answers, "prior-reaction", ("mild", "moderate", "severe"))
    if grade != UNKNOWN:
        agent = agent_of(agents_answered(response, "prior-reaction-agent"))
        yield Told(grade, one_of(answers, "prior-reaction-kind", KINDS), agent)


def _of_allergy(allergy: Resource) -> Iterator[Told]:
    reactions = allergy.get("reaction", [])
    if not stands(allergy) or not (is_contrast_allergy(allergy) or _is_coded_reaction(allergy.get("code"))):
        return
    grades = [reaction.get("severity", UNKNOWN) for reaction in reactions] or [UNKNOWN]
    if allergy.get("criticality") == "high":
        grades.append("severe")
    kind = {"allergy": "allergic-like", "intolerance": "physiologic"}.get(str(allergy.get("type")), UNKNOWN)
    yield Told(
        max((one for one in grades if one in GRADES), key=GRADES.index, default=UNKNOWN),
        kind,
        agent_of_allergy(allergy),
        allergy,
    )


def _of_event(event: Resource, evidence: Evidence) -> Iterator[Told]:
    """A reaction kept here; an extravasation, what might have happened and what was taken back are none."""
    kinds = [code for system, code in codes_in(event.get("event")) if system == _REACTION_TYPE]
    if not happened(event) or "extravasation" in kinds or _refuted(event, evidence):
        return
    given = list(_given(event, evidence))
    if not kinds and not any(is_contrast_agent(codings) for codings in given):
        return
    grade = next((code for _, code in codes_in(event.get("severity")) if code in GRADES), UNKNOWN)
    agent = next((agent for codings in given if (agent := agent_of(codings))), "")
    yield Told(grade, next((kind for kind in kinds if kind in KINDS), UNKNOWN), agent, event)


def _refuted(event: Resource, evidence: Evidence) -> bool:
    """Whether a person has taken back the allergy that was made from this very reaction.

    One that is now told as something else than allergic-like has its allergy refuted by that, and still happened.
    """
    return stands_as_allergy(event) and any(
        is_wrong(allergy) and reference_of(extension_value(allergy, FROM_REACTION)) == f"AdverseEvent/{event.get('id')}"
        for allergy in evidence.of("AllergyIntolerance")
    )


def _given(event: Resource, evidence: Evidence) -> Iterator[list[Coding]]:
    """The codes of what the event suspects."""
    for suspect in event.get("suspectEntity", []):
        named = suspect.get("instance", {})
        held = evidence.at(str(named.get("reference", ""))) or evidence.at(reference_of(named))
        if held is not None:
            yield codes_in(evidence.medicine(held) if "subject" in held else held.get("code"))
