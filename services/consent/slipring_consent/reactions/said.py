"""What an AdverseEvent says of a reaction, beyond R4's own elements: phase, signs, measures, effect. Pure readers."""

from __future__ import annotations

from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.reading import extension_value, extensions, has_code, reference_of

REACTION_TYPE = f"{CANONICAL}/CodeSystem/reaction-type"
OUTCOME = "http://terminology.hl7.org/CodeSystem/adverse-event-outcome"
PHASE = f"{CANONICAL}/StructureDefinition/reaction-phase"
MEASURES = f"{CANONICAL}/StructureDefinition/measures"
EFFECT = f"{CANONICAL}/StructureDefinition/effect-on-result"
SIGN = f"{CANONICAL}/StructureDefinition/manifestation"
VITALS = f"{CANONICAL}/StructureDefinition/vital-signs"
EXTRAVASATION = f"{CANONICAL}/StructureDefinition/extravasation"
FOR_EXAM = f"{CANONICAL}/StructureDefinition/for-exam"
AMENDMENT = f"{CANONICAL}/StructureDefinition/amendment"
WRONG = "entered-in-error"
RESOLVED = ("resolved", "closed", WRONG)  # phases in which the patient is well again, or was never ill
STILL_OPEN = ("recovering", "ongoing", "unknown")


def kind_of(event: Resource) -> str:
    """allergic-like, physiologic or extravasation; empty when nobody has said it yet."""
    codings = event.get("event", {}).get("coding", [])
    return next((str(one.get("code", "")) for one in codings if one.get("system") == REACTION_TYPE), "")


def phase_of(event: Resource) -> str:
    """The phase it states; of one that states none, what its outcome and measures say."""
    stated = extension_value(event, PHASE)
    if isinstance(stated, str) and stated:
        return stated
    if outcome_known(event):
        return "closed"
    return "under-treatment" if measures_of(event) else "noticed"


def outcome_known(event: Resource) -> bool:
    """Whether the outcome is one that lasts: not recovering, not ongoing, not unknown."""
    outcome = event.get("outcome")
    coded = any(one.get("code") for one in (outcome or {}).get("coding", []))
    return coded and not any(has_code(outcome, OUTCOME, code) for code in STILL_OPEN)


def parts_of(extension: Resource) -> dict[str, Any]:
    """The values of a complex extension by the name of the part; of a repeated part the first."""
    found: dict[str, Any] = {}
    for part in extension.get("extension", []):
        value = next((value for member, value in part.items() if member.startswith("value")), None)
        if value is not None:
            found.setdefault(str(part.get("url", "")), value)
    return found


def measures_of(event: Resource) -> list[dict[str, Any]]:
    """What was done: parts `what`, `dose`, `route`, `at`, `by`, `note`; words of the older form stand as `note`."""
    found = []
    for extension in extensions(event, MEASURES):
        words = str(extension.get("valueString", "")).strip()
        parts = {"note": words} if words else parts_of(extension)
        if parts.get("what") or parts.get("note"):
            found.append(parts)
    return found


def effect_of(event: Resource) -> tuple[str, str]:
    """What it means for the CT result, as a code and in words; the older form has words only."""
    for extension in extensions(event, EFFECT):
        words = str(extension.get("valueString", "")).strip()
        parts = parts_of(extension)
        coded = next((str(one.get("code", "")) for one in parts.get("effect", {}).get("coding", [])), "")
        return coded, words or str(parts.get("text", "")).strip()
    return "", ""


def signs_of(event: Resource) -> list[Resource]:
    """The manifestations, as CodeableConcepts."""
    return [one["valueCodeableConcept"] for one in extensions(event, SIGN) if "valueCodeableConcept" in one]


def symptoms_of(event: Resource) -> list[str]:
    """The codes of the symptoms of an extravasation."""
    parts = [part for one in extensions(event, EXTRAVASATION) for part in one.get("extension", [])]
    concepts = [part.get("valueCodeableConcept", {}) for part in parts if part.get("url") == "symptom"]
    return [str(coding.get("code", "")) for concept in concepts for coding in concept.get("coding", [])]


def suspects_of(event: Resource, kept_type: str) -> list[str]:
    """The references of one type that are suspected."""
    named = [reference_of(one.get("instance")) for one in event.get("suspectEntity", [])]
    return [one for one in named if one.startswith(f"{kept_type}/")]


def stands_as_allergy(event: Resource) -> bool:
    """Whether a reaction is one that the patient must not meet again: it happened, it is allergic-like, and no mistake."""
    return kind_of(event) == "allergic-like" and happened(event)


def happened(event: Resource) -> bool:
    """Whether it happened and is no mistake."""
    return event.get("actuality") == "actual" and phase_of(event) != WRONG
