"""An exam as a department's ActivityDefinition states it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from slipring.fhir.service import CANONICAL, Resource

from slipring_order.catalogue import CONTRAST, SYSTEMS, Exam, regions_of
from slipring_order.reading import codes, codings

EXAM_NUMBER = f"{CANONICAL}/sid/exam-code"
BODY_SYSTEM = f"{CANONICAL}/CodeSystem/body-system"
EXAM_CONTRAST = f"{CANONICAL}/CodeSystem/exam-contrast"
PROTOCOL_GROUP = f"{CANONICAL}/CodeSystem/protocol-group"
LATERALITY_ASKED = f"{CANONICAL}/StructureDefinition/laterality-asked"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
OFFERED = "active"


def definition_id(code: str) -> str:
    """The id of the shipped definition of an exam."""
    return f"o-exam-{code}"


def exam_number(definition: Resource) -> str:
    """The department's code of the exam that it defines, or an empty string."""
    found = (i.get("value") for i in definition.get("identifier", []) if i.get("system") == EXAM_NUMBER)
    return next((str(value) for value in found if value), "")


def systems_in(definition: Resource) -> tuple[str, ...]:
    """The body systems of its topics."""
    named = (
        c.get("code") for topic in definition.get("topic", []) for c in codings(topic) if c.get("system") == BODY_SYSTEM
    )
    return tuple(dict.fromkeys(str(code) for code in named if code in SYSTEMS))


def contrast_in(definition: Resource) -> str:
    """Its contrast: none, with, both, or an empty string."""
    return next((code for code in _context(definition, EXAM_CONTRAST) if code in CONTRAST), "")


def exam_in(definition: Resource) -> Exam | None:
    """The exam it defines; None when it defines none or is not offered."""
    number = exam_number(definition)
    if not number or definition.get("status") != OFFERED:
        return None
    sites = [code for site in definition.get("bodySite", []) for code in codes(site)]
    coded = codings(definition.get("code"))
    phases = contrast_in(definition)
    return Exam(
        code=number,
        zh=str(definition.get("title", number)),
        en=next((str(c["display"]) for c in coded if c.get("system") == LOINC and c.get("display")), number),
        systems=systems_in(definition),
        regions=regions_of(sites),
        contrast=(phases != "none") if phases else None,
        loinc=next((str(c["code"]) for c in coded if c.get("system") == LOINC and c.get("code")), ""),
        phases=phases or "none",
        protocol=next(_context(definition, PROTOCOL_GROUP), ""),
        laterality=any(e.get("valueBoolean") for e in definition.get("extension", []) if e.get("url") == LATERALITY_ASKED),
    )  # fmt: skip


def _context(definition: Mapping[str, Any], system: str) -> Iterator[str]:
    for context in definition.get("useContext", []):
        for coding in codings(context.get("valueCodeableConcept")):
            if coding.get("system") == system:
                yield str(coding.get("code", ""))
