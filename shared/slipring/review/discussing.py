"""A report is put on a conference, from the editor or the list with one press and a reason; and where it was discussed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.place import Place, Words, may, named_in, wrong
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError, unprocessable
from slipring.identity.people.sessions import Session
from slipring.reading.one_report import of_report
from slipring.review.meetings import CONFERENCES, discussed, next_of, planned
from slipring.review.workplace import review_page


@dataclass(frozen=True, slots=True)
class DiscussingPage:
    """The conferences of one report."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/reports/{id}/conference`."""
        at = "/reading/reports/{id}/conference"
        return self.place.routes([(at, self.shown, ["GET"]), (at, self.put_on, ["POST"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """Where it was discussed and what came of it, and the conferences that it may be put on."""
        return await self._page(request, session, await self.place.hand(session))

    async def put_on(self, request: Request, session: Session) -> Response:
        """`Task/[conference]/$add-case`; of the next conference where none is named."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        report, question = named_in(request, "DiagnosticReport"), form.get("question", "").strip()
        given: list[Tree] = [{"name": "report", "valueReference": {"reference": f"DiagnosticReport/{report}"}}]
        given += [{"name": "question", "valueString": question}] if question else []
        try:
            meeting = await self._meeting(hand, form.get("conference", ""))
            await hand.called(f"Task/{meeting}/$add-case", given)
        except FhirError as refused:
            beside = wrong(refused, request, given, {"question": "question", "report": "", "conference": "conference"})
            return await self._page(request, session, hand, form=form, beside=beside, status=refused.status)
        return RedirectResponse(f"{CONFERENCES}/{meeting}", 303)

    async def _meeting(self, hand: Hand, named: str) -> str:
        if names.ID.fullmatch(named):
            return named
        found = next_of(await planned(hand), self.place.now())
        if found is None:
            raise unprocessable(
                "No conference is planned that this could be put on; plan one first.",
                "目前没有已计划的讨论会；请先计划一次。",
                at="Parameters.parameter.where(name='conference')",
                detail="review.no-conference",
            )
        return found.id

    async def _page(
        self, request: Request, session: Session, hand: Hand, *, form: Mapping[str, str] | None = None,
        beside: Words | None = None, status: int = 200,
    ) -> Response:  # fmt: skip
        report = named_in(request, "DiagnosticReport")
        one, cases, meetings = await asyncio.gather(of_report(hand, report), discussed(hand, report), planned(hand))
        listed = {each.meeting.id for each in cases if each.meeting}
        return review_page(
            self.place, request, session, "discussing.html", status=status, one=one, exam=one.exam, cases=cases,
            meetings=[each for each in meetings if each.id not in listed], form=form or {}, beside=beside or {},
            may_act=may(session, "Task", "u") and not one.gone, conferences=CONFERENCES,
        )  # fmt: skip
