"""The day of the scanners: a picture of each one's time, a list behind it, and the state of each scanner with why."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department.bookings import Booking, Fitness, Scanner, bookings_on, fitness_of, scanners
from slipring.department.day_picture import picture_of
from slipring.department.exams import Exam, exams_of
from slipring.department.place import HOME, Place, may
from slipring.department.wanted import day_of
from slipring.fhir.outcome import forbidden
from slipring.identity.people.sessions import Session

ADDRESS = f"{HOME}/day"


@dataclass(frozen=True, slots=True)
class Day:
    """A day of all scanners."""

    day: date
    today: date
    scanners: list[Scanner]
    held: list[Booking]
    exams: dict[str, Exam]
    fitness: dict[str, Fitness | None]

    @property
    def before(self) -> date:
        """The day before."""
        return self.day - timedelta(days=1)

    @property
    def after(self) -> date:
        """The day after."""
        return self.day + timedelta(days=1)

    def of(self, scanner: Scanner) -> list[Booking]:
        """What holds one scanner."""
        return [one for one in self.held if one.scanner == scanner.reference]


@dataclass(frozen=True, slots=True)
class DayPage:
    """All scanners on one day."""

    place: Place

    def routes(self) -> list[Route]:
        """`/department/day`, and the same on paper at `/department/worklist`."""
        return self.place.routes([(ADDRESS, self.shown, ["GET"]), (f"{HOME}/worklist", self.printed, ["GET"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """Who is on which scanner when, and what waits for a time."""
        told = await self._day(request, session)
        now, zone = self.place.now(), self.place.zone
        picture = picture_of(told.scanners, told.held, told.exams, day=told.day, now=now, zone=zone)
        return self.place.page(
            request, session, "day.html", told=told, picture=picture, may_change=may(session, "Device", "u")
        )

    async def printed(self, request: Request, session: Session) -> Response:
        """The worklist of the day to print, for when the screens are away."""
        return self.place.page(request, session, "paper_worklist.html", told=await self._day(request, session))

    async def _day(self, request: Request, session: Session) -> Day:
        today = self.place.now().astimezone(self.place.zone).date()
        day = day_of(request.query_params.get("on", "")) or today
        hand = await self.place.hand(session)
        every = await scanners(hand)
        if every is None:
            raise forbidden(
                "Your roles do not open the scanners.", "您的岗位无权查看设备。", detail="department.no-scanners"
            )
        held = await bookings_on(hand, every, day, self.place.zone)
        asked = (f"ServiceRequest/{one.request}" for one in held if one.request)
        exams = {exam.id: exam for exam in await exams_of(hand, "focus", asked)}
        fitness = await asyncio.gather(*(fitness_of(hand, scanner) for scanner in every))
        by_scanner = {scanner.reference: one for scanner, one in zip(every, fitness, strict=True)}
        return Day(day, today, every, held, exams, by_scanner)
