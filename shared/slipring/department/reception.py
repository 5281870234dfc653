"""The desk: find who comes, check who he is by two identifiers, receive him, print his slip; and who came today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.bookings import booking_of, scanners
from slipring.department.code39 import bars_of
from slipring.department.exams import Exam, exams_where
from slipring.department.one_request import exam_named, sign_in_again
from slipring.department.place import HOME, Place, Words, wrong
from slipring.department.road import Hand, Tree
from slipring.department.shown import FIELDS, Shown, shown_call
from slipring.department.told import told
from slipring.department.worklist import exams_called
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session

ADDRESS = f"{HOME}/reception"
_LONGEST = 80


@dataclass(frozen=True, slots=True)
class Came:
    """One line of the day's register."""

    at: datetime
    exam: Exam
    by: str


@dataclass(frozen=True, slots=True)
class ReceptionPages:
    """The desk's pages."""

    place: Place

    def routes(self) -> list[Route]:
        """`/department/reception`, one arrival, its slip."""
        one = f"{ADDRESS}/{{id}}"
        return self.place.routes(
            [
                (ADDRESS, self.shown, ["GET"]),
                (ADDRESS, self.looked_for, ["POST"]),
                (one, self.arrival_shown, ["GET"]),
                (one, self.receive, ["POST"]),
                (f"{one}/slip", self.slip, ["GET"]),
            ]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """Who can be received now, and who came today."""
        hand = await self.place.hand(session)
        return await self._desk(request, session, hand, None, None)

    async def looked_for(self, request: Request, session: Session) -> Response:
        """Who carries this number or name."""
        form = await self.place.posted(request, session)
        text = form.get("text", "").strip()[:_LONGEST]
        hand = await self.place.hand(session)
        return await self._desk(request, session, hand, text, await exams_called(hand, text) if text else [])

    async def _desk(
        self, request: Request, session: Session, hand: Hand, text: str | None, found: list[Exam] | None
    ) -> Response:
        came = await self._register(hand)
        return self.place.page(request, session, "reception.html", text=text, found=found, came=came)

    async def _register(self, hand: Hand) -> list[Came] | None:
        """Today's arrivals by the records of their reception, latest first; None when the roles do not open them."""
        begin = datetime.combine(self.place.now().astimezone(self.place.zone).date(), time(), self.place.zone)
        asked = [("recorded", f"ge{begin.isoformat()}"), ("_include", "Provenance:agent"), ("_count", "1000")]
        every = await hand.if_allowed("Provenance", asked)
        if every is None:
            return None
        people = {f"{one['resourceType']}/{one['id']}": one for one in every}
        records = {
            _request_in(one): one for one in every if names.code_in(one.get("activity"), "exam-step") == "arrival"
        }
        focus = ",".join(sorted(records))
        exams = await exams_where(hand, [("focus", focus)], findings=False) if focus else []
        came = [_came(exam, records[f"ServiceRequest/{exam.id}"], people) for exam in exams]
        return sorted(came, key=lambda one: one.at, reverse=True)

    async def arrival_shown(self, request: Request, session: Session) -> Response:
        """The form of one arrival."""
        hand = await self.place.hand(session)
        return await self._arrival(request, session, hand, Shown(), {})

    async def receive(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$arrive`: two identifiers of different kinds, or the page again with what does not agree."""
        given = Shown.of(await self.place.posted(request, session))
        hand = await self.place.hand(session)
        exam = await exam_named(hand, request)
        call: list[Tree] = []
        try:
            call = await shown_call(hand, given)
            answer = await hand.called(f"{exam.reference}/$arrive", call)
        except FhirError as refused:
            if refused.status == 401:
                return RedirectResponse(sign_in_again(f"{ADDRESS}/{exam.id}"), 303)
            beside = wrong(refused, request, call, FIELDS)
            return await self._arrival(request, session, hand, given, beside, status=refused.status)
        namesake = any(one.get("name") == "issue" for one in answer.get("parameter", []))
        return RedirectResponse(f"{ADDRESS}/{exam.id}/slip{'?namesake=1' if namesake else ''}", 303)

    async def _arrival(
        self, request: Request, session: Session, hand: Hand, given: Shown, beside: Words, *, status: int = 200
    ) -> Response:
        exam = await exam_named(hand, request)
        booking = await booking_of(hand, exam.id)
        return self.place.page(
            request, session, "arrival.html", status=status, exam=exam, given=given, beside=beside, booking=booking
        )

    async def slip(self, request: Request, session: Session) -> Response:
        """What the patient takes along, and the label: the imaging number in letters and as a bar code."""
        hand = await self.place.hand(session)
        exam = await exam_named(hand, request)
        booking = await booking_of(hand, exam.id)
        known = {one.reference: one.name for one in await scanners(hand) or []} if booking else {}
        return self.place.page(
            request,
            session,
            "slip.html",
            exam=exam,
            booking=booking,
            scanner=known.get(booking.scanner, "") if booking else "",
            told=told(exam.request),
            bars=bars_of(exam.number),
            namesake="namesake" in request.query_params,
        )


def _request_in(record: Tree) -> str:
    targets = (names.reference_in(target) for target in record.get("target", []))
    return next((target for target in targets if target.startswith("ServiceRequest/")), "")


def _came(exam: Exam, record: Tree, people: dict[str, Tree]) -> Came:
    agents: list[Tree] = record.get("agent", [])
    who = names.reference_in(agents[0].get("who")) if agents else ""
    return Came(names.moment(record.get("recorded")) or exam.since, exam, names.person(people.get(who)))
