"""What is kept of a translation: the exam that a local code means, and by which version of which map."""

from __future__ import annotations

from slipring.fhir.service import CANONICAL, Resource

from slipring_order.judgement import Judgement
from slipring_order.offer.mapping import EXAM_SYSTEM

INPUT_SYSTEM = f"{CANONICAL}/CodeSystem/task-input"
CODE_MAPPING = f"{CANONICAL}/StructureDefinition/code-mapping"


def exam_input(task: Resource, judgement: Judgement) -> list[Resource] | None:
    """The Task's inputs with the exam that a local code was translated to, for those who know no local codes."""
    kind = {"coding": [{"system": INPUT_SYSTEM, "code": "exam"}]}
    others = [entry for entry in task.get("input", []) if entry.get("type") != kind]
    facts = judgement.facts
    if not facts.mapped_by:
        return others or None
    coding = [{"system": EXAM_SYSTEM, "code": facts.exam_code}]
    if facts.exam_loinc:
        coding.append({"system": "http://loinc.org", "code": facts.exam_loinc})
    return [*others, {"type": kind, "valueCodeableConcept": {"coding": coding}}]


def used_map(judgement: Judgement) -> list[Resource]:
    """Which version of which map translated the request's code, and into what."""
    facts = judgement.facts
    if not facts.mapped_by:
        return []
    system, _, code = facts.mapped_from.rpartition("|")
    parts = [
        {"url": "map", "valueReference": {"reference": facts.mapped_by}},
        {"url": "source", "valueCoding": {"system": system, "code": code}},
        {"url": "target", "valueCoding": {"system": EXAM_SYSTEM, "code": facts.exam_code}},
    ]
    return [{"url": CODE_MAPPING, "extension": parts}]
