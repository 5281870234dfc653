"""The exams that were made in a period as the catalogue knows them: what several clauses ask of each kind of exam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slipring.fhir.service import Evidence
from slipring.verdicts.looking import Look

from slipring_order.catalogue import Exam
from slipring_order.clauses.exams import told_of_exam
from slipring_order.offer.mapping import exam_of_concept
from slipring_order.reading import Pool, codings

_MAPS, _OFFER = "ConceptMap?status=active", "ActivityDefinition?status=active"


@dataclass(frozen=True, slots=True)
class Made:
    """One exam that was made: its Task, what it is by its request, whose, and when it began."""

    task: str
    exam: Exam
    patient: str  # Patient/..., or empty
    at: datetime


async def exams_made(look: Look, counted: Sequence[Evidence]) -> list[Made]:
    """The exams among these Tasks that the catalogue knows, in the order in which they began."""
    return await look.once("exams made", lambda: _made(look, counted))


async def _made(look: Look, counted: Sequence[Evidence]) -> list[Made]:
    tasks = [(one.stored.reference, look.told(one, told_of_exam)) async for one in look.spread(counted)]
    pool, known, exams = Pool(), dict[tuple[tuple[str, str], ...], Exam | None](), dict[str, Exam]()
    pool.add(*(one.stored.resource for one in [*await look.stood(_MAPS), *await look.stood(_OFFER)]))
    asked = await look.each("ServiceRequest?_id", (said.request.partition("/")[2] for _, said in tasks))
    async for one in look.spread(asked):
        concept = one.stored.resource.get("code", {})
        key = tuple((str(c.get("system", "")), str(c.get("code", ""))) for c in codings(concept))
        if key not in known:
            known[key] = exam_of_concept(concept, pool)
        if (exam := known[key]) is not None:
            exams[one.stored.reference] = exam
    found = [
        Made(task, exams[said.request], said.patient, said.began)
        for task, said in tasks
        if said.request in exams and said.began is not None
    ]
    return sorted(found, key=lambda made: (made.at, made.task))
