"""How a patient is prepared for an exam (CL02-A011:5.4.4.2), as the catalogue's ActivityDefinition says it: to read and to print."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.bookings import booking_of
from slipring.department.exams import Exam
from slipring.department.names import Pair
from slipring.department.one_request import exam_named
from slipring.department.place import HOME, Place
from slipring.department.road import Hand, Tree
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session

VIEWS = ("patient", "clinician")
PARTS = ("prepare", "bring", "timing", "request", "data")  # the patient's first
_PREPARATION = f"{CANONICAL}/StructureDefinition/preparation"
_EXAM_NUMBER = f"{CANONICAL}/sid/exam-code"


@dataclass(frozen=True, slots=True)
class PreparingPages:
    """The preparation for one request."""

    place: Place

    def routes(self) -> list[Route]:
        """`/department/requests/{id}/preparation`."""
        return self.place.routes([(f"{HOME}/requests/{{id}}/preparation", self.shown, ["GET"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """For the patient, for clinicians, or (`view`) for one of them."""
        hand = await self.place.hand(session)
        exam = await exam_named(hand, request)
        view = request.query_params.get("view", "")
        definition = await definition_of(hand, exam)
        return self.place.page(
            request,
            session,
            "preparation.html",
            exam=exam,
            booking=await booking_of(hand, exam.id),
            views=[view] if view in VIEWS else list(VIEWS),
            parts=PARTS,
            texts=texts_in(definition or {}),
            known=definition is not None,
        )


async def definition_of(hand: Hand, exam: Exam) -> Tree | None:
    """The catalogue's definition of what is to be examined; None when it lists none, or the roles do not open it."""
    said = [coding for concept in concepts_of(exam) for coding in concept.get("coding", [])]
    own = [str(one["code"]) for one in said if one.get("system") == f"{CANONICAL}/CodeSystem/exam" and one.get("code")]
    if own:
        asked = ("identifier", f"{_EXAM_NUMBER}|{names.plain(own[0])}")
        found = await hand.if_allowed("ActivityDefinition", [asked, ("status", "active")])
        return found[0] if found else None
    listed = [("status", "active"), ("_elements", "code,identifier"), ("_count", "500")]
    coded = {(one.get("system"), one.get("code")) for one in said}
    for one in await hand.if_allowed("ActivityDefinition", listed) or []:
        if coded & {(c.get("system"), c.get("code")) for c in one.get("code", {}).get("coding", [])}:
            return await hand.read(f"ActivityDefinition/{one['id']}")
    return None


def concepts_of(exam: Exam) -> list[Tree]:
    """What is to be examined: as the department mapped it, else as the request says it."""
    mapped = [
        dict(one["valueCodeableConcept"])
        for one in exam.task.get("input", [])
        if "exam" in names.codes(one.get("type")) and one.get("valueCodeableConcept")
    ]
    return [*mapped, exam.request.get("code", {})]


def texts_in(definition: Tree) -> Mapping[tuple[str, str], Pair]:
    """What a definition tells, by reader (`view`) and part, of those that the page knows."""
    found: dict[tuple[str, str], Pair] = {}
    for extension in definition.get("extension", []):
        if extension.get("url") == _PREPARATION:
            parts = {str(part.get("url")): part for part in extension.get("extension", [])}
            view, part = (str(parts.get(name, {}).get("valueCode", "")) for name in ("view", "part"))
            if view in VIEWS and part in PARTS:
                found[view, part] = names.text_words(parts.get("text", {}), "valueString")
    return found
