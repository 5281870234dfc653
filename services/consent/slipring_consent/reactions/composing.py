"""What a person adds to a reaction at the bedside, laid into the AdverseEvent; each with its time and its person. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_consent.catalogue import data_file
from slipring_consent.reactions.said import (
    AMENDMENT,
    EFFECT,
    EXTRAVASATION,
    FOR_EXAM,
    MEASURES,
    OUTCOME,
    PHASE,
    REACTION_TYPE,
    SIGN,
    VITALS,
    measures_of,
    signs_of,
)
from slipring_consent.reading import codes_in, reference_of
from slipring_consent.resources import concept

SYSTEMS = {
    "kind": REACTION_TYPE,
    "manifestation": f"{CANONICAL}/CodeSystem/reaction-sign",
    "what": f"{CANONICAL}/CodeSystem/reaction-measure",
    "effect": f"{CANONICAL}/CodeSystem/reaction-effect",
    "symptom": f"{CANONICAL}/CodeSystem/extravasation-symptom",
    "phase": f"{CANONICAL}/CodeSystem/reaction-phase",
}
OUTCOMES = {
    "resolved": ("痊愈", "resolved"),
    "recovering": ("好转中", "recovering"),
    "ongoing": ("持续", "ongoing"),
    "resolvedWithSequelae": ("有后遗症", "resolved with sequelae"),
    "fatal": ("死亡", "fatal"),
    "unknown": ("不详", "unknown"),
}
Part = dict[str, Any]
_A_TAP = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Given:
    """Who adds, and when he does."""

    who: str
    at: str


def names_of(system: str) -> dict[str, dict[str, str]]:
    """The codes of one of our own systems with their names."""
    name = system.rpartition("/")[2]
    written: dict[str, dict[str, str]] = (
        data_file("reaction_vocabulary.toml").get(name) or data_file("vocabulary.toml")[name]
    )["codes"]
    return written


def coded(member: str, code: str) -> Resource:
    """One of our own codes with its names in both languages."""
    said = names_of(SYSTEMS[member])[code]
    return concept(SYSTEMS[member], code, said["zh"], said["en"])


def as_outcome(code: str) -> Resource:
    """An outcome as R4 codes it."""
    return concept(OUTCOME, code, *OUTCOMES[code])


def with_extension(event: Resource, url: str, *, replacing: bool = False, **value: Any) -> Resource:
    """The event with one more extension; `replacing`: in the place of those of this URL."""
    kept = [one for one in event.get("extension", []) if not (replacing and one.get("url") == url)]
    return {**event, "extension": [*kept, {"url": url, **value}]}


def in_phase(event: Resource, code: str) -> Resource:
    """The event in another phase."""
    return with_extension(event, PHASE, replacing=True, valueCode=code)


def with_sign(event: Resource, code: str) -> Resource:
    """The event with one more manifestation, once."""
    seen = {found for one in signs_of(event) for _, found in codes_in(one)}
    return event if code in seen else with_extension(event, SIGN, valueCodeableConcept=coded("manifestation", code))


def with_measure(event: Resource, measure: Part, given: Given) -> Resource:
    """The event with one more measure: what, how much, how, and by whom at what time, which are now and the caller unless said.

    The same person's same measure within a few seconds is one tap that was felt twice, not a second dose.
    """
    if _felt_twice(event, measure, given):
        return event
    parts: list[Resource] = []
    if measure.get("what"):
        parts.append({"url": "what", "valueCodeableConcept": coded("what", measure["what"])})
    if measure.get("dose"):
        parts.append({"url": "dose", "valueQuantity": measure["dose"]})
    if measure.get("route"):
        parts.append({"url": "route", "valueCodeableConcept": measure["route"]})
    parts.append({"url": "at", "valueDateTime": measure.get("at") or given.at})
    by = measure.get("by") or given.who
    if by:
        parts.append({"url": "by", "valueReference": {"reference": by}})
    if measure.get("note"):
        parts.append({"url": "note", "valueString": measure["note"]})
    return with_extension(event, MEASURES, extension=parts)


def _felt_twice(event: Resource, measure: Part, given: Given) -> bool:
    last: Part = next(reversed(measures_of(event)), {})
    if not last.get("at") or not measure.get("what") or measure.get("at") or measure.get("note") or last.get("note"):
        return False
    same = {code for _, code in codes_in(last.get("what"))} == {measure["what"]} and last.get("dose") == measure.get(
        "dose"
    )
    mine = reference_of(last.get("by")) == (measure.get("by") or given.who)
    apart = datetime.fromisoformat(given.at) - datetime.fromisoformat(str(last["at"]))
    return same and mine and timedelta(0) <= apart <= _A_TAP


def with_effect(event: Resource, code: str, words: str) -> Resource:
    """The event with what it means for the CT result."""
    parts: list[Resource] = [{"url": "effect", "valueCodeableConcept": coded("effect", code)}] if code else []
    if words:
        parts.append({"url": "text", "valueString": words})
    return with_extension(event, EFFECT, replacing=True, extension=parts)


def with_extravasation(event: Resource, volume: Any, site: Resource | None, symptoms: Sequence[str]) -> Resource:
    """The event with how much left the vein, where, and what it does; what is not said now stays as it was said before."""
    before = [
        part for one in event.get("extension", []) if one.get("url") == EXTRAVASATION for part in one["extension"]
    ]
    parts: list[Resource] = []
    if volume is not None:
        ml = {"value": volume, "unit": "mL", "system": "http://unitsofmeasure.org", "code": "mL"}
        parts.append({"url": "volume", "valueQuantity": ml})
    if site:
        parts.append({"url": "site", "valueCodeableConcept": site})
    parts += [{"url": "symptom", "valueCodeableConcept": coded("symptom", code)} for code in symptoms]
    said = {part["url"] for part in parts}
    kept = [part for part in before if part.get("url") not in said]
    return with_extension(event, EXTRAVASATION, replacing=True, extension=[*kept, *parts])


def amended(event: Resource, reason: str, given: Given) -> Resource:
    """The event with why it was changed, by whom and when."""
    parts: list[Resource] = [{"url": "reason", "valueString": reason}, {"url": "at", "valueDateTime": given.at}]
    if given.who:
        parts.insert(1, {"url": "by", "valueReference": {"reference": given.who}})
    return with_extension(event, AMENDMENT, extension=parts)


def for_exam(event: Resource, exam: str) -> Resource:
    """The event with the request during whose exam it happened."""
    return with_extension(event, FOR_EXAM, replacing=True, valueReference={"reference": exam})


def as_vitals(observation_id: str, event: Resource, values: dict[str, Any], injection: str, given: Given) -> Resource:
    """Vital signs measured during a reaction, one Observation with a component for each."""
    loinc = "http://loinc.org"
    known = {vital["name"]: vital for vital in data_file("reactions.toml")["vital"]}
    components = [
        {
            "code": concept(loinc, vital["loinc"], vital["zh"], vital["en"]),
            "valueQuantity": {
                "value": value,
                "unit": vital["unit"],
                "system": "http://unitsofmeasure.org",
                "code": vital["unit"],
            },
        }
        for name, value in values.items()
        for vital in [known[name]]
    ]
    observation: Resource = {
        "resourceType": "Observation",
        "id": observation_id,
        "status": "final",
        "category": [
            concept(
                "http://terminology.hl7.org/CodeSystem/observation-category", "vital-signs", "生命体征", "Vital Signs"
            )
        ],
        "code": concept(loinc, "85353-1", "生命体征", "vital signs"),
        "subject": event["subject"],
        "focus": [{"reference": f"AdverseEvent/{event['id']}"}],
        "effectiveDateTime": given.at,
        "component": components,
    }
    if injection:
        observation["partOf"] = [{"reference": injection}]
    if given.who:
        observation["performer"] = [{"reference": given.who}]
    return observation


def with_vitals(event: Resource, observation: str) -> Resource:
    """The event with the vital signs that were measured."""
    return with_extension(event, VITALS, valueReference={"reference": observation})
