"""What a request itself tells: the question, the clinical data, how to prepare. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from slipring.department import names
from slipring.department.names import Pair
from slipring.department.road import Tree
from slipring.fhir.service import CANONICAL

_CLINICAL = f"{CANONICAL}/StructureDefinition/clinical-data"


@dataclass(frozen=True, slots=True)
class Told:
    """The request in words."""

    question: list[Pair]
    sites: list[Pair]
    details: list[Pair]
    stated: list[tuple[str, str]]  # item of 5.4.3 -> what is said about it
    instruction: str
    notes: list[str]


def told(request: Tree) -> Told:
    """Read a request for the page."""
    return Told(
        question=[names.concept_words(concept) for concept in request.get("reasonCode", [])],
        sites=[names.concept_words(concept) for concept in request.get("bodySite", [])],
        details=[names.concept_words(concept) for concept in request.get("orderDetail", [])],
        stated=[one for extension in request.get("extension", []) if (one := _stated(extension))],
        instruction=str(request.get("patientInstruction", "")),
        notes=[str(note.get("text", "")) for note in request.get("note", [])],
    )


def _stated(extension: Tree) -> tuple[str, str] | None:
    if extension.get("url") != _CLINICAL:
        return None
    parts = {part.get("url"): part for part in extension.get("extension", [])}
    said = parts.get("statement", {})
    words = said.get("valueString") or said.get("valueCode") or names.concept_words(said.get("valueCodeableConcept"))[0]
    return str(parts.get("item", {}).get("valueCode", "")), str(words)
