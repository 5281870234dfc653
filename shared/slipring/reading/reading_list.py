"""The reading list with its clocks: what waits, who has it, how long is left; a case is taken in hand and given back here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.place import Place, named_in
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session
from slipring.pages.language import language_of, said
from slipring.reading.again import to_read_again
from slipring.reading.cases import waiting
from slipring.reading.holding import may_claim
from slipring.reading.second_reads import second_reads
from slipring.reading.workplace import READING, reading_page

_LONGEST = 80
_ANSWERS_THE_HAND = (404, 409, 412, 422)


@dataclass(frozen=True, slots=True)
class ReadingListPage:
    """What waits to be read."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading`, and `/reading/cases/{id}/claim` or `/give-back`."""
        case = f"{READING}/cases/{{id}}"
        table: list[tuple[str, Any, list[str]]] = [
            (READING, self.shown, ["GET"]),
            (READING, self.looked_for, ["POST"]),
            (f"{case}/claim", self.claim, ["POST"]),
            (f"{case}/give-back", self.give_back, ["POST"]),
            (f"{case}/{{step}}", self.back, ["GET"]),
        ]
        return self.place.routes(table)

    async def shown(self, request: Request, session: Session) -> Response:
        """The list, the most urgent first."""
        return await self._page(request, session, await self.place.hand(session))

    async def looked_for(self, request: Request, session: Session) -> Response:
        """Of the list, what somebody means by a number or a name; neither stands in an address."""
        form = await self.place.posted(request, session)
        text = form.get("text", "").strip()[:_LONGEST]
        return await self._page(request, session, await self.place.hand(session), text=text)

    async def claim(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$claim`, and on to the report; over another's claim only with a reason."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        why = form.get("reason", "").strip()
        call: list[Tree] = [{"name": "reason", "valueString": why}] if why else []
        return await self._done(request, session, hand, "$claim", call)

    async def give_back(self, request: Request, session: Session) -> Response:
        """`Task/[id]/$give-back`."""
        await self.place.posted(request, session)
        return await self._done(request, session, await self.place.hand(session), "$give-back", [])

    async def back(self, request: Request, session: Session) -> Response:
        """Where a step was refused and somebody comes back, by the language switch say."""
        return RedirectResponse(READING, 303)

    async def _done(self, request: Request, session: Session, hand: Hand, what: str, call: list[Tree]) -> Response:
        case = named_in(request, "Task")
        try:
            answer = await hand.called(f"Task/{case}/{what}", call)
        except FhirError as refused:
            if refused.status not in _ANSWERS_THE_HAND:
                raise
            return await self._page(request, session, hand, refused=refused)
        if what != "$claim":
            return RedirectResponse(READING, 303)
        task = next(one["resource"] for one in answer["parameter"] if one["name"] == "return")
        return RedirectResponse(f"{READING}/exams/{names.reference_in(task.get('focus')).rpartition('/')[2]}", 303)

    async def _page(
        self, request: Request, session: Session, hand: Hand, *, text: str = "", refused: FhirError | None = None
    ) -> Response:
        me, language = session.account.practitioner or "", language_of(request)
        found, second, again = await asyncio.gather(
            waiting(hand), second_reads(hand, self.place.now()), to_read_again(hand, me)
        )
        if text:
            found = replace(found, cases=[case for case in found.cases if case.called(text)])
        return reading_page(
            self.place,
            request,
            session,
            "list.html",
            status=refused.status if refused else 200,
            found=found,
            second=[] if text else second,
            text=text,
            names=names,
            me=session.account.practitioner,
            again=again,
            refused=[said((issue.zh, issue.en), language) for issue in refused.issues] if refused else [],
            may_claim=may_claim(session),
        )
