"""A sample of released reports is drawn to be read again: how many, by which seed, by whom (5.6.2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.place import Place, Words, may, wrong
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session
from slipring.review.quality import QUALITY
from slipring.review.quarters import quarter_named
from slipring.review.staff import people_as
from slipring.review.workplace import review_page

DRAW = f"{QUALITY}/draw"
_READERS = "level-b,level-c,level-d,level-e"  # who may give a report its first signature, by the staff register
_READER = "reader."
_OFFERED = 4  # quarters


@dataclass(frozen=True, slots=True)
class DrawingPage:
    """The form of a draw."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/quality/draw`."""
        return self.place.routes([(DRAW, self.shown, ["GET"]), (DRAW, self.drawn, ["POST"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """What is asked before a draw."""
        return await self._page(request, session, await self.place.hand(session))

    async def drawn(self, request: Request, session: Session) -> Response:
        """`DiagnosticReport/$draw-rereading`, in the name of whoever is signed in; each case goes to one of the readers."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        today = self.place.now().astimezone(self.place.zone).date()
        quarter, size = quarter_named(form.get("quarter", ""), today), form.get("size", "").strip()
        given: list[Tree] = [quarter.period]
        given += [{"name": "size", "valueInteger": int(size)}] if size.isdecimal() and len(size) < 6 else []
        given += [{"name": "seed", "valueString": seed}] if (seed := form.get("seed", "").strip()) else []
        ids = [name.removeprefix(_READER) for name in form if name.startswith(_READER)]
        given += [
            {"name": "reader", "valueReference": {"reference": f"Practitioner/{one}"}}
            for one in ids
            if names.ID.fullmatch(one)
        ]
        try:
            await hand.called("DiagnosticReport/$draw-rereading", given)
        except FhirError as refused:
            fields = {"size": "size", "seed": "seed", "reader": "readers", "period": "quarter"}
            beside = wrong(refused, request, given, fields)
            return await self._page(request, session, hand, form=form, beside=beside, status=refused.status)
        return RedirectResponse(f"{QUALITY}?of=re-reading", 303)

    async def _page(
        self, request: Request, session: Session, hand: Hand, *, form: Mapping[str, str] | None = None,
        beside: Words | None = None, status: int = 200,
    ) -> Response:  # fmt: skip
        today = self.place.now().astimezone(self.place.zone).date()
        latest = quarter_named("", today)
        readers = [
            one for one in await people_as(hand, _READERS) if f"Practitioner/{one.id}" != session.account.practitioner
        ]
        return review_page(
            self.place, request, session, "drawing.html", status=status, readers=readers, form=form or {},
            quarters=[latest.before(back) for back in range(_OFFERED)], beside=beside or {}, address=DRAW,
            quality=f"{QUALITY}?of=re-reading", may_draw=may(session, "Task", "c"),
        )  # fmt: skip
