"""Whether an exam is one with contrast, and which exam an administration supports."""

from __future__ import annotations

from collections.abc import Iterable

from slipring.fhir.service import CANONICAL, Desk, Resource
from slipring.rules.contrast import names_contrast

from slipring_consent.contrast.agents import is_contrast_agent, is_contrast_exam
from slipring_consent.reading import codes_in, extension_value, is_coded, reference_of

CONTRAST_CONDITION = f"{CANONICAL}/StructureDefinition/contrast-condition"  # as order shows it on the exam's Task
_PLANNED = frozenset({"open", "cleared", "emergency-exception", "refused", "expired"})


def needs_contrast(request: Resource) -> bool:
    """Whether a request asks for contrast: an agent in its details, coded or in words, or an exam code that means contrast."""
    details = request.get("orderDetail", [])
    coded = [coding for detail in details for coding in codes_in(detail)]
    return (
        any(map(names_contrast, details)) or is_contrast_agent(coded) or is_contrast_exam(codes_in(request.get("code")))
    )


def exam_of_administration(administration: Resource) -> str:
    """The ServiceRequest an administration supports, by `supportingInformation`."""
    references = [reference_of(entry) for entry in administration.get("supportingInformation", [])]
    return next((reference for reference in references if reference.startswith("ServiceRequest/")), "")


def translated_to_contrast(exam_tasks: Iterable[Resource]) -> bool:
    """Whether order says of an exam that contrast is planned, or translated the hospital's own code into one that means it."""
    return any(_planned(task) or any(map(_means_contrast, task.get("input", []))) for task in exam_tasks)


def _planned(task: Resource) -> bool:
    return extension_value(task, CONTRAST_CONDITION) in _PLANNED


def _means_contrast(entry: Resource) -> bool:
    return is_contrast_exam(codes_in(entry.get("valueCodeableConcept")))


async def contrast_asked(reference: str, request: Resource, desk: Desk) -> bool:
    """Whether an exam is one with contrast: by what the request says, or by what order made of its local code."""
    if needs_contrast(request):
        return True
    tasks = await desk.search(tasks_of(reference))
    return translated_to_contrast(task.resource for task in tasks if is_coded(task.resource.get("code"), "exam"))


def tasks_of(reference: str) -> str:
    """The search for all Tasks that are about a request."""
    return f"Task?focus={reference}"
