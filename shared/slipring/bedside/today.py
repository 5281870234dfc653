"""Today's contrast exams: who, where each stands, what speaks against contrast, and the next step one tap away."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.bedside.bed import BEDSIDE, bedside_page
from slipring.bedside.contrast_exams import contrast_exams_today
from slipring.department.place import Place
from slipring.identity.people.sessions import Session


@dataclass(frozen=True, slots=True)
class TodayPage:
    """The list of the day."""

    place: Place

    def routes(self) -> list[Route]:
        """`/bedside`."""
        return self.place.routes([(BEDSIDE, self.shown, ["GET"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """By urgency: an alarm first, then a reaction, then who waits to be released."""
        now = self.place.now()
        exams = await contrast_exams_today(await self.place.hand(session), now, self.place.zone)
        return bedside_page(self.place, request, session, "today.html", exams=exams)
