"""Small pure readers of FHIR trees: what a report names and what a concept or reference says."""

from __future__ import annotations

from typing import Any

from slipring.fhir.service import Resource

from slipring_report.vocabulary import COMPOSITION


def composition_of(report: Resource) -> str:
    """The reference of the report's Composition, or ''."""
    return reference_of(extension(report, COMPOSITION).get("valueReference"))


def results_of(report: Resource) -> list[str]:
    """The references of its results, in order."""
    return [reference for each in report.get("result", []) if (reference := reference_of(each))]


def request_of(report: Resource) -> str:
    """The ServiceRequest that the report answers, or ''."""
    references = [reference_of(each) for each in report.get("basedOn", [])]
    return next((reference for reference in references if reference.startswith("ServiceRequest/")), "")


def extension(resource: Resource, url: str) -> dict[str, Any]:
    """The first extension with this url, or an empty one."""
    return next((each for each in resource.get("extension", []) if each.get("url") == url), {})


def code_of(concept: Any, system: str) -> str:
    """The code of a CodeableConcept in one system, or ''."""
    codings = concept.get("coding", []) if isinstance(concept, dict) else []
    return next((str(coding["code"]) for coding in codings if coding.get("system") == system and "code" in coding), "")


def reference_of(reference: Any) -> str:
    """The relative reference without a version, or ''."""
    text = reference.get("reference", "") if isinstance(reference, dict) else ""
    return "/".join(text.partition("/_history/")[0].rsplit("/", 2)[-2:])


def subject_of(report: Resource) -> str:
    """The patient of a report, as written."""
    return str(report.get("subject", {}).get("reference", ""))
