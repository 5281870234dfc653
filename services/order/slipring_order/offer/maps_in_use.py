"""What the codes of an exam mean here: by the maps in force, and by the department's own definitions."""

from __future__ import annotations

from urllib.parse import quote

from slipring.fhir.service import Desk, Resource

from slipring_order.offer.defined import EXAM_NUMBER, definition_id
from slipring_order.offer.mapping import EXAM_SYSTEM, exam_of_concept, local_systems, own_targets
from slipring_order.reading import Pool, codings

EARLIER_TYPES = ("ServiceRequest", "ImagingStudy", "Procedure", "DiagnosticReport")


async def maps_of(pool: Pool, desk: Desk, *more: Resource) -> None:
    """The current maps of the hospital's own codes, where one of these resources uses such, with the exams they lead to."""
    told = [*pool.of_type(*EARLIER_TYPES), *more]
    for system in local_systems(told):
        found = await desk.search(f"ConceptMap?status=active&source-system={quote(system, safe='')}")
        pool.fill(*(one.resource for one in found if not one.source))
    if own := own_targets(told, pool.of_type("ConceptMap")):
        wanted = ",".join(f"{EXAM_NUMBER}|{quote(code, safe='')}" for code in own)
        pool.fill(*(one.resource for one in await desk.search(f"ActivityDefinition?identifier={wanted}&status=active")))


async def definition_of(request: Resource, pool: Pool, desk: Desk) -> None:
    """The department's own definition of the exam that is asked for, or of a code that the shipped catalogue lacks."""
    exam = exam_of_concept(request.get("code"), pool)
    if exam is not None:
        stored = await desk.read(f"ActivityDefinition/{definition_id(exam.code)}")
        pool.fill(stored.resource if stored else None)
        return
    for coding in codings(request.get("code")):
        if coding.get("system") == EXAM_SYSTEM and coding.get("code"):
            code = quote(str(coding["code"]), safe="")
            found = await desk.search(f"ActivityDefinition?identifier={EXAM_NUMBER}|{code}&status=active")
            pool.fill(*(one.resource for one in found))
