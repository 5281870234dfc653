"""The desk: find who comes, check who he is by two identifiers, receive him, print his slip; and who came today."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department.bookings import booking_of, scanners
from slipring.department.code39 import bars_of
from slipring.department.one_request import exam_named
from slipring.department.place import HOME, Place, Words, wrong
from slipring.department.present import queue, register
from slipring.department.road import Hand, Tree
from slipring.department.shown import FIELDS, Shown, shown_call
from slipring.department.told import told
from slipring.department.worklist import Called, exams_called, too_wide
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session

ADDRESS = f"{HOME}/reception"
_LONGEST = 80


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
        """Who can be received now, who waits here, and who came today."""
        return await self._desk(request, session, await self.place.hand(session))

    async def looked_for(self, request: Request, session: Session) -> Response:
        """Who carries this number or name."""
        form = await self.place.posted(request, session)
        text = form.get("text", "").strip()[:_LONGEST]
        hand = await self.place.hand(session)
        try:
            called = await exams_called(hand, text) if text else Called([])
        except FhirError as refused:
            return await self._desk(request, session, hand, text=text, problem=too_wide(refused, request), status=422)
        return await self._desk(request, session, hand, text=text, found=called.exams, cut=called.cut)

    async def _desk(
        self, request: Request, session: Session, hand: Hand, *, status: int = 200, **values: Any
    ) -> Response:
        came, waiting, every = await asyncio.gather(register(hand), queue(hand), scanners(hand))
        known = {one.reference: one.name for one in every or []}
        usual: dict[str, Any] = {"text": None, "found": None, "cut": False, "problem": ""}
        return self.place.page(
            request, session, "reception.html", status=status, came=came, waiting=waiting, scanner_names=known,
            **{**usual, **values},
        )  # fmt: skip

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
