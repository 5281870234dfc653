"""Reactions during the exam of a report, as consent keeps them: who signs is told what they mean for the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipring.fhir.findings import as_detected_issue
from slipring.fhir.service import CANONICAL, Desk, Resource, Stored
from slipring.rules.finding import Finding

from slipring_report.reading import extension, reference_of, request_of

EFFECT = f"{CANONICAL}/StructureDefinition/effect-on-result"
FOR_EXAM = f"{CANONICAL}/StructureDefinition/for-exam"
PHASE = f"{CANONICAL}/StructureDefinition/reaction-phase"


@dataclass(frozen=True, slots=True)
class Reaction:
    """A reaction that happened during the exam: which, and what it means for the result in its own words ('' when unsaid)."""

    reference: str
    effect: str = ""


@dataclass(frozen=True, slots=True)
class DraftFacts:
    """What the rules on a draft look at, whoever is going to sign it."""

    reactions: tuple[Reaction, ...] = ()


async def draft_facts(report: Resource, desk: Desk) -> DraftFacts:
    """The reactions of the report's exam, by the exam that each names or by the injection it is blamed on."""
    request, patient = request_of(report), reference_of(report.get("subject"))
    if not request or not patient:
        return DraftFacts()
    found = [
        Reaction(event.reference, _effect(event.resource))
        for event in await desk.search(f"AdverseEvent?subject={patient}")
        if _happened(event.resource) and await _exam(event.resource, desk) == request
    ]
    return DraftFacts(tuple(sorted(found, key=lambda one: one.reference)))


def as_told(
    findings: Sequence[Finding], report: Stored, facts: DraftFacts, desk: Desk, *, signer: str = ""
) -> list[Resource]:
    """The findings as DetectedIssues that lead from the report to the reactions and back."""
    reactions = [{"reference": one.reference} for one in facts.reactions]
    subject = reference_of(report.resource.get("subject"))
    issues = [
        as_detected_issue(each, id=desk.new_id(), subject=subject, about=report.reference, now=desk.now, author=signer)
        for each in findings
    ]
    return [{**issue, "implicated": [*issue["implicated"], *reactions]} for issue in issues]


def _happened(event: Resource) -> bool:
    return event.get("actuality") == "actual" and extension(event, PHASE).get("valueCode") != "entered-in-error"


async def _exam(event: Resource, desk: Desk) -> str:
    told = reference_of(extension(event, FOR_EXAM).get("valueReference"))
    if told:
        return told
    for suspect in event.get("suspectEntity", []):
        named = reference_of(suspect.get("instance"))
        given = await desk.read(named) if named.startswith("MedicationAdministration/") else None
        supported = given.resource.get("supportingInformation", []) if given else []
        for reference in map(reference_of, supported):
            if reference.startswith("ServiceRequest/"):
                return reference
    return ""


def _effect(event: Resource) -> str:
    """The effect as it was chosen and as it was written; of the older form the words alone."""
    said = extension(event, EFFECT)
    words = [str(said.get("valueString", ""))]
    for part in said.get("extension", []):
        concept = part.get("valueCodeableConcept", {})
        coding: Resource = next(iter(concept.get("coding", [])), {})
        words += [str(concept.get("text") or coding.get("display") or coding.get("code", ""))]
        words += [str(part.get("valueString", ""))]
    return "; ".join(word.strip() for word in words if word.strip())
