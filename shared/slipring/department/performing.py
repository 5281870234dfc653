"""One exam carried out: its time, the check list, start, and its end; each step is an operation in the person's name."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.booking_form import BOOKABLE, booking_call
from slipring.department.bookings import booking_of, free_times, scanners
from slipring.department.one_request import exam_named
from slipring.department.place import HOME, Place, Words, named_in, wrong
from slipring.department.reasons import concept_of, reasons
from slipring.department.road import Hand, Tree
from slipring.department.seen import changed_meanwhile, seen
from slipring.department.shown import FIELDS, Shown, check_call, shown_call
from slipring.department.wanted import day_of
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session

ADDRESS = f"{HOME}/exams"
_ENDED = {"outcome": "outcome", "reason": "reason", "note": "note"}


@dataclass(frozen=True, slots=True)
class PerformingPages:
    """The page of one exam at the scanner."""

    place: Place

    def routes(self) -> list[Route]:
        """`/department/exams/{id}` and its steps."""
        one = f"{ADDRESS}/{{id}}"
        return self.place.routes(
            [
                (one, self.shown, ["GET"]),
                (f"{one}/booking", self.book, ["POST"]),
                (f"{one}/unbooking", self.unbook, ["POST"]),
                (f"{one}/check", self.check, ["POST"]),
                (f"{one}/start", self.start, ["POST"]),
                (f"{one}/end", self.end, ["POST"]),
                (f"{one}/{{step}}", self.step_shown, ["GET"]),
            ]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """Where it stands, and the next step."""
        return await self._page(request, session, await self.place.hand(session))

    async def step_shown(self, request: Request, session: Session) -> Response:
        """Where a step was refused and somebody comes back, by the language switch say: the exam as it stands."""
        return RedirectResponse(f"{ADDRESS}/{named_in(request, 'ServiceRequest')}", 303)

    async def book(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$schedule`: a free time, a time that was typed, or without either the next free one."""
        form = await self.place.posted(request, session)
        try:
            call, fields = booking_call(form, self.place.zone)
        except FhirError as refused:
            beside, hand = wrong(refused, request, [], {"period": "start"}), await self.place.hand(session)
            return await self._page(request, session, hand, form=form, beside=beside, doing="book", status=422)
        return await self._do(request, session, "$schedule", call, form, fields, "book")

    async def unbook(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$unschedule`."""
        form = await self.place.posted(request, session)
        return await self._do(request, session, "$unschedule", [], form, {}, "book")

    async def check(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$check`: who it is, what is examined, and what else the scan waits for."""
        form = await self.place.posted(request, session)
        given, hand = Shown.of(form), await self.place.hand(session)
        try:
            call = check_call(given, await shown_call(hand, given))
        except FhirError as refused:
            beside = wrong(refused, request, [], FIELDS)
            return await self._page(request, session, hand, form=form, beside=beside, doing="check", status=422)
        return await self._do(request, session, "$check", call, form, FIELDS, "check")

    async def start(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$start`."""
        form = await self.place.posted(request, session)
        return await self._do(request, session, "$start", [], form, {}, "start")

    async def end(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$finish`: acquired, or broken off for a reason."""
        form = await self.place.posted(request, session)
        call: list[Tree] = [{"name": "outcome", "valueCode": form.get("outcome") or "acquired"}]
        if form.get("outcome") == "discontinued" and (reason := concept_of("discontinued", form.get("reason", ""))):
            call.append({"name": "reason", "valueCodeableConcept": reason})
        if note := form.get("note", "").strip():
            call.append({"name": "note", "valueString": note})
        return await self._do(request, session, "$finish", call, form, _ENDED, "end")

    async def _do(
        self, request: Request, session: Session, operation: str, call: Sequence[Tree], form: Mapping[str, str],
        fields: Mapping[str, str], doing: str,
    ) -> Response:  # fmt: skip
        hand = await self.place.hand(session)
        exam = await exam_named(hand, request)
        try:
            if form.get("seen") not in (None, seen(exam, await booking_of(hand, exam.id))):
                raise changed_meanwhile(exam.state_words)
            await hand.called(f"{exam.reference}/{operation}", call)
        except FhirError as refused:
            beside = wrong(refused, request, call, fields)
            return await self._page(
                request, session, hand, form=form, beside=beside, doing=doing, status=refused.status
            )
        return RedirectResponse(f"{ADDRESS}/{exam.id}", 303)

    async def _page(
        self, request: Request, session: Session, hand: Hand, *, form: Mapping[str, str] | None = None,
        beside: Words | None = None, doing: str = "", status: int = 200,
    ) -> Response:  # fmt: skip
        exam = await exam_named(hand, request)
        booking, every = await asyncio.gather(booking_of(hand, exam.id), scanners(hand))
        today = self.place.now().astimezone(self.place.zone).date()
        day = day_of((form or {}).get("on") or request.query_params.get("on", "")) or today
        free = await free_times(hand, every or [], day) if exam.state in BOOKABLE else {}
        return self.place.page(
            request,
            session,
            "performing.html",
            status=status,
            exam=exam,
            booking=booking,
            seen=seen(exam, booking),
            scanners=every or [],
            scanner=next((one for one in every or [] if booking and one.reference == booking.scanner), None),
            day=day,
            day_after=day + timedelta(days=1),
            asked_for_day="on" in request.query_params,
            free=free,
            done=done_items(exam.task),
            given=Shown.of(form or {}),
            form=form or {},
            beside={doing: beside or {}},
            reasons=reasons("discontinued"),
        )


def done_items(task: Mapping[str, Any]) -> set[str]:
    """What of the check list is on record for an exam."""
    return {code for entry in task.get("input", []) for code in names.codes(entry.get("type"))}
