"""Whether an exam is one with contrast, and which exam an administration supports."""

from __future__ import annotations

from collections.abc import Iterable

from slipring.fhir.service import Desk, Resource

from slipring_consent.contrast.agents import is_contrast_agent, is_contrast_exam
from slipring_consent.reading import codes_in, is_coded, reference_of


def needs_contrast(request: Resource) -> bool:
    """Whether a request asks for contrast: an agent in its details, or an exam code that means contrast."""
    details = [coding for detail in request.get("orderDetail", []) for coding in codes_in(detail)]
    return is_contrast_agent(details) or is_contrast_exam(codes_in(request.get("code")))


def exam_of_administration(administration: Resource) -> str:
    """The ServiceRequest an administration supports, by `supportingInformation`."""
    references = [reference_of(entry) for entry in administration.get("supportingInformation", [])]
    return next((reference for reference in references if reference.startswith("ServiceRequest/")), "")


def translated_to_contrast(exam_tasks: Iterable[Resource]) -> bool:
    """Whether order translated a hospital's own exam code into one that means contrast."""
    return any(
        is_contrast_exam(codes_in(entry.get("valueCodeableConcept")))
        for task in exam_tasks
        for entry in task.get("input", [])
    )


async def contrast_asked(reference: str, request: Resource, desk: Desk) -> bool:
    """Whether an exam is one with contrast: by what the request says, or by what order made of its local code."""
    if needs_contrast(request):
        return True
    tasks = await desk.search(tasks_of(reference))
    return translated_to_contrast(task.resource for task in tasks if is_coded(task.resource.get("code"), "exam"))


def tasks_of(reference: str) -> str:
    """The search for all Tasks that are about a request."""
    return f"Task?focus={reference}"
