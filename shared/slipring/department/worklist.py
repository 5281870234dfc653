"""The worklist of requests: what waits, why, and since when; one can be found by number or name."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.bookings import Scanner, bookings_on, bookings_with, scanners
from slipring.department.exams import INCLUDED, OPEN, Exam, exams_in
from slipring.department.late import late_by_exam, late_first
from slipring.department.listing import Listing, listed
from slipring.department.names import Pair
from slipring.department.place import HOME, Place
from slipring.department.road import Hand
from slipring.department.wanted import PRIORITIES, Wanted
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session
from slipring.pages.language import language_of, said

ADDRESS = f"{HOME}/requests"
_LONGEST = 80  # characters that are looked for
_MOST_NAMED = 500  # requests that one search may name
_MOST_FOUND = 100  # of a name or number


@dataclass(frozen=True, slots=True)
class WorklistPages:
    """The list, narrowed or searched."""

    place: Place

    def routes(self) -> list[Route]:
        """`/department/requests`: GET narrows, POST looks for somebody."""
        return self.place.routes([(ADDRESS, self.shown, ["GET"]), (ADDRESS, self.looked_for, ["POST"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """What waits, the most urgent first."""
        wanted, after = Wanted.of(request.query_params), request.query_params.get("after", "")
        hand = await self.place.hand(session)
        late, every, states = await asyncio.gather(late_by_exam(hand), scanners(hand), coded(hand, "exam-state"))
        booked = await self._booked(hand, wanted, every or [])
        asked = wanted.asked(self.place.zone) + ([] if booked is None else [("focus", ",".join(booked))])
        listing = Listing()
        if booked is None or booked:
            listing = await listed(hand, asked, after, waits=wanted.waits, priority=wanted.priority, late=late)
        cut = len(booked or []) >= _MOST_NAMED
        return self._page(
            request, session, listing=listing, exams=listing.exams, late=late, wanted=wanted, states=states, cut=cut,
            scanners=every or [],
        )  # fmt: skip

    async def _booked(self, hand: Hand, wanted: Wanted, every: list[Scanner]) -> list[str] | None:
        """The requests with a time on the wanted scanner or day, at most as many as a search may name; None: any."""
        of = [one for one in every if wanted.scanner in ("", one.id)]
        if wanted.booked:
            day, zone = date.fromisoformat(wanted.booked), self.place.zone
            held = await bookings_on(hand, of, day, zone)
            held = [one for one in held if one.starts_at.astimezone(zone).date() == day]
        elif wanted.scanner:
            held = await bookings_with(hand, wanted.scanner, self.place.now() - timedelta(days=1))
        else:
            return None
        return list(dict.fromkeys(f"ServiceRequest/{one.request}" for one in held if one.request))[:_MOST_NAMED]

    async def looked_for(self, request: Request, session: Session) -> Response:
        """Who carries this imaging number, patient number or name; what is looked for stays out of addresses."""
        form = await self.place.posted(request, session)
        text = form.get("text", "").strip()[:_LONGEST]
        hand = await self.place.hand(session)
        late = await late_by_exam(hand)
        try:
            called = await exams_called(hand, text) if text else Called([])
        except FhirError as refused:
            return self._page(request, session, text=text, late=late, problem=too_wide(refused, request), status=422)
        exams = late_first(called.exams, late)
        return self._page(request, session, exams=exams, cut=called.cut, text=text, late=late)

    def _page(self, request: Request, session: Session, *, status: int = 200, **values: Any) -> Response:
        usual: dict[str, Any] = {
            "wanted": Wanted(), "text": None, "problem": "", "states": [], "scanners": [], "exams": [], "cut": False,
            "listing": None, "priorities": PRIORITIES,
        }  # fmt: skip
        return self.place.page(request, session, "worklist.html", status=status, **{**usual, **values})


@dataclass(frozen=True, slots=True)
class Called:
    """Who was found; `cut`: there are more."""

    exams: list[Exam]
    cut: bool = False


async def exams_called(hand: Hand, text: str) -> Called:
    """The exams with this imaging number, or of patients with this number or a name that begins so; open ones first."""
    escaped = names.plain(text)
    ways = ("group-identifier", "patient.identifier", "patient.name")
    rest = [("code", "exam"), *INCLUDED, ("_sort", "-authored-on"), ("_count", str(_MOST_FOUND))]
    sheets = await asyncio.gather(*(hand.sheet("Task", [(way, escaped), *rest]) for way in ways))
    resources = {f"{one['resourceType']}/{one['id']}": one for sheet in sheets for one in sheet.resources}
    exams = await exams_in(hand, list(resources.values()))
    ordered = sorted(exams, key=lambda exam: (exam.state not in OPEN, exam.urgency))
    return Called(ordered, any(sheet.following for sheet in sheets))


def too_wide(refused: FhirError, request: Request) -> str:
    """What is said beside the field when what is looked for fits too many, or cannot be looked for; others are raised."""
    if refused.status not in (400, 422):
        raise refused
    issue = refused.issues[0]
    return said((issue.zh, issue.en), language_of(request))


async def coded(hand: Hand, name: str) -> list[tuple[str, Pair]]:
    """The codes of one of our code systems with their names, in the order it lists them."""
    try:
        system = await hand.read(f"CodeSystem/{name}")
    except FhirError as refused:
        if refused.status in (403, 404):
            return []
        raise
    return [(str(concept["code"]), _both(concept)) for concept in system.get("concept", [])]


def _both(concept: dict[str, Any]) -> Pair:
    english = str(concept.get("display", concept["code"]))
    said = (str(d["value"]) for d in concept.get("designation", []) if str(d.get("language", "")).startswith("zh"))
    return next(said, english), english
