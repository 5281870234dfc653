"""The worklist of requests: what waits, why, and since when; one can be found by number or name."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.bookings import bookings_with, scanners
from slipring.department.exams import MOST, OPEN, STATE_SYSTEM, Exam, exams_where
from slipring.department.late import late_by_exam
from slipring.department.names import Pair
from slipring.department.place import HOME, Place
from slipring.department.road import Hand
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session

ADDRESS = f"{HOME}/requests"
WAITING = ("awaiting-information", "awaiting-justification")
PRIORITIES = ("stat", "asap", "urgent", "routine")
_LONGEST = 80  # characters that are looked for
_FIRST, _LAST = date(1900, 1, 1), date(2999, 12, 31)
_CODE = re.compile(r"[a-z\-]{1,40}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is narrowed to; nothing of a patient is in it, so it may stand in an address."""

    state: str = "open"
    priority: str = ""
    on: str = ""
    scanner: str = ""

    @classmethod
    def of(cls, given: Any) -> Wanted:
        """From an address; what is no such thing is left out."""
        state, priority = str(given.get("state", "open")), str(given.get("priority", ""))
        on, scanner = str(given.get("on", "")), str(given.get("scanner", ""))
        return cls(
            state if _CODE.fullmatch(state) else "open",
            priority if priority in PRIORITIES else "",
            on if day_of(on) else "",
            scanner if re.fullmatch(r"[A-Za-z0-9.\-]{1,64}", scanner, re.ASCII) else "",
        )

    def asked(self, place: Place) -> list[tuple[str, str]]:
        """The same as a search over exams' Tasks."""
        states = {"open": OPEN, "waiting": WAITING, "all": ()}.get(self.state, (self.state,))
        found = [("business-status", ",".join(f"{STATE_SYSTEM}|{state}" for state in states))] if states else []
        if self.priority:
            found.append(("priority", self.priority))
        if day := day_of(self.on):
            begin = datetime.combine(day, time(), place.zone)
            found += [
                ("authored-on", f"ge{begin.isoformat()}"),
                ("authored-on", f"lt{(begin + timedelta(days=1)).isoformat()}"),
            ]
        return found


@dataclass(frozen=True, slots=True)
class WorklistPages:
    """The list, narrowed or searched."""

    place: Place

    def routes(self) -> list[Route]:
        """`/department/requests`: GET narrows, POST looks for somebody."""
        return self.place.routes([(ADDRESS, self.shown, ["GET"]), (ADDRESS, self.looked_for, ["POST"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """What waits, the most urgent first."""
        wanted = Wanted.of(request.query_params)
        hand = await self.place.hand(session)
        asked = wanted.asked(self.place)
        if wanted.scanner:
            held = await bookings_with(hand, wanted.scanner, self.place.now() - timedelta(days=1))
            asked.append(("focus", ",".join(sorted({f"ServiceRequest/{one.request}" for one in held if one.request}))))
        exams = await exams_where(hand, asked) if asked[-1:] != [("focus", "")] else []
        return await self._page(
            request,
            session,
            hand,
            exams,
            wanted=wanted,
            states=await coded(hand, "exam-state"),
            scanners=await scanners(hand) or [],
        )

    async def looked_for(self, request: Request, session: Session) -> Response:
        """Who carries this imaging number, patient number or name; what is looked for stays out of addresses."""
        form = await self.place.posted(request, session)
        text = form.get("text", "").strip()[:_LONGEST]
        hand = await self.place.hand(session)
        exams = await exams_called(hand, text) if text else []
        return await self._page(request, session, hand, exams, text=text)

    async def _page(self, request: Request, session: Session, hand: Hand, exams: list[Exam], **values: Any) -> Response:
        late = await late_by_exam(hand)
        exams = sorted(exams, key=lambda exam: exam.reference not in late)  # stable: the urgent stay first among them
        shown = {"wanted": Wanted(), "text": None, "states": [], "scanners": [], "priorities": PRIORITIES, **values}
        return self.place.page(
            request, session, "worklist.html", exams=exams, late=late, cut=len(exams) >= MOST, **shown
        )


async def exams_called(hand: Hand, text: str) -> list[Exam]:
    """The exams with this imaging number, or of patients with this number or a name that begins so."""
    escaped = names.plain(text)
    ways = [[("group-identifier", escaped)], [("patient.identifier", escaped)], [("patient.name", escaped)]]
    found = await asyncio.gather(*(exams_where(hand, way) for way in ways))
    once = {exam.reference: exam for exams in found for exam in exams}
    return sorted(once.values(), key=lambda exam: (exam.state not in OPEN, exam.urgency))


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


def day_of(text: str) -> date | None:
    """A day as a form or an address gives it; None for one that no department has."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if _FIRST <= found <= _LAST else None
