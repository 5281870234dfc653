"""The conferences: the next one, how to plan one, weeks that went by without any, and all that were held (5.7.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department.place import Place, Words, may, wrong
from slipring.department.road import Hand, Tree
from slipring.department.wanted import day_of
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session
from slipring.review.meetings import CONFERENCES, held, missed_weeks, planned
from slipring.review.workplace import moment_typed, review_page

_LOOKED_BACK = timedelta(days=365)
FIELDS = {"start": "start", "place": "place"}


@dataclass(frozen=True, slots=True)
class ConferencesPage:
    """The list of conferences."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/conferences`."""
        return self.place.routes([(CONFERENCES, self.shown, ["GET"]), (CONFERENCES, self.plan, ["POST"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """What is planned, and a page of what was held."""
        return await self._page(request, session, await self.place.hand(session))

    async def plan(self, request: Request, session: Session) -> Response:
        """`Task/$plan-conference`, chaired by whoever plans it."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        given: list[Tree] = []
        try:
            start = moment_typed(form.get("start", ""), self.place.zone, at="start")
            given = [{"name": "start", "valueDateTime": start}]
            given += [{"name": "place", "valueString": where}] if (where := form.get("place", "").strip()) else []
            made = await hand.called("Task/$plan-conference", given)
        except FhirError as refused:
            beside = wrong(refused, request, given, FIELDS)
            return await self._page(request, session, hand, form=form, beside=beside, status=refused.status)
        task = next(one["resource"] for one in made["parameter"] if one["name"] == "return")
        return RedirectResponse(f"{CONFERENCES}/{task['id']}", 303)

    async def _page(
        self, request: Request, session: Session, hand: Hand, *, form: Mapping[str, str] | None = None,
        beside: Words | None = None, status: int = 200,
    ) -> Response:  # fmt: skip
        given = request.query_params
        days = {name: found.isoformat() if (found := day_of(given.get(name, ""))) else "" for name in ("from", "to")}
        coming, past, missed = await asyncio.gather(
            planned(hand),
            held(hand, days["from"], days["to"], given.get("after", "")),
            missed_weeks(hand, self.place.now() - _LOOKED_BACK),
        )
        return review_page(
            self.place, request, session, "conferences.html", status=status, planned=coming, held=past[0],
            following=past[1], missed=missed, days=days, form=form or {}, beside=beside or {}, address=CONFERENCES,
            may_plan=may(session, "Task", "c"),
        )  # fmt: skip
