"""One request: its data, what the rules found, its story, and what can be done with it now."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department.deciding import DECISIONS, FIELDS, Decision, decision_call
from slipring.department.exams import MADE, Exam, exam_of
from slipring.department.names import ACSN_SYSTEM, plain
from slipring.department.place import Place, Words, may, named_in, wrong
from slipring.department.reasons import reasons
from slipring.department.road import Hand, Tree
from slipring.department.seen import changed_meanwhile, seen
from slipring.department.story import story_of
from slipring.department.told import told
from slipring.department.worklist import ADDRESS, coded
from slipring.fhir.outcome import FhirError, not_found, unprocessable
from slipring.identity.people.sessions import Session

_FIELDS = {name: name for name in FIELDS} | {"agreedBy": "agreed"}


@dataclass(frozen=True, slots=True)
class OneRequestPages:
    """The page of one request, and the decision on its justification."""

    place: Place

    def routes(self) -> list[Route]:
        """`/department/requests/{id}` and what is done there."""
        one = f"{ADDRESS}/{{id}}"
        return self.place.routes(
            [
                (one, self.shown, ["GET"]),
                (f"{one}/decision", self.decision_shown, ["GET"]),
                (f"{one}/decision", self.decide, ["POST"]),
            ]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """Everything about it, top to bottom."""
        hand = await self.place.hand(session)
        exam = await exam_named(hand, request)
        return self.place.page(
            request,
            session,
            "one_request.html",
            exam=exam,
            told=told(exam.request),
            items=dict(await coded(hand, "missing-item")),
            story=await story_of(hand, exam),
            may_decide=may(session, "Task", "u") and may(session, "ServiceRequest", "u"),
            may_work=may(session, "Task", "u"),
            has_images=exam.state in MADE,
        )

    async def decision_shown(self, request: Request, session: Session) -> Response:
        """The form of the decision, with all that it is about."""
        hand = await self.place.hand(session)
        return await self._decision(request, session, hand, Decision(), {})

    async def decide(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$decide` in the person's name; what was refused stands beside its field."""
        form = await self.place.posted(request, session)
        given = Decision.of(form)
        hand = await self.place.hand(session)
        exam = await exam_named(hand, request)
        call: list[Tree] = []
        try:
            if form.get("seen") not in (None, seen(exam)):
                raise changed_meanwhile(exam.state_words)
            replacement = await numbered(hand, given.replacement) if given.replacement else ""
            call = decision_call(given, replacement, str(exam.request.get("requester", {}).get("reference", "")))
            await hand.called(f"{exam.reference}/$decide", call)
        except FhirError as refused:
            beside = wrong(refused, request, call, _FIELDS)
            return await self._decision(request, session, hand, given, beside, status=refused.status)
        return RedirectResponse(f"{ADDRESS}/{exam.id}", 303)

    async def _decision(
        self, request: Request, session: Session, hand: Hand, given: Decision, beside: Words, *, status: int = 200
    ) -> Response:
        exam = await exam_named(hand, request)
        return self.place.page(
            request,
            session,
            "decision.html",
            status=status,
            exam=exam,
            seen=seen(exam),
            given=given,
            beside=beside,
            decisions=DECISIONS,
            reasons=reasons("decision"),
        )


async def exam_named(hand: Hand, request: Request) -> Exam:
    """The exam that an address names, or 404."""
    found = await exam_of(hand, named_in(request, "ServiceRequest"))
    if found is None:
        raise not_found("ServiceRequest")
    return found


async def numbered(hand: Hand, number: str) -> str:
    """The request that an imaging number names; a number that names none is refused beside its field."""
    found = await hand.found("ServiceRequest", [("identifier", f"{ACSN_SYSTEM}|{plain(number)}")])
    if not found:
        raise unprocessable(
            "No request has this imaging number.",
            "没有申请使用该影像检查号。",
            at="Parameters.parameter.where(name='replacement')",
            detail="department.no-such-number",
        )
    return f"ServiceRequest/{found[0]['id']}"
