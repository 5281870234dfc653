"""The reading list: exams whose images are there and whose report is not yet released, the most urgent first."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.exams import STATE_SYSTEM, Exam, exams_where
from slipring.department.place import Place
from slipring.department.road import Hand, Tree, in_portions
from slipring.identity.people.sessions import Session
from slipring.reading.workplace import READING, reading_page

_TO_READ = "registered,partial,preliminary"


@dataclass(frozen=True, slots=True)
class Case:
    """An exam to be read, with its report as far as it is begun."""

    exam: Exam
    report: Tree | None

    @property
    def status(self) -> str:
        """Where the report stands, '' before it is begun."""
        return str((self.report or {}).get("status", ""))


@dataclass(frozen=True, slots=True)
class ReadingListPage:
    """What waits to be read."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading`."""
        return self.place.routes([(READING, self.shown, ["GET"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """The list."""
        cases = await waiting(await self.place.hand(session))
        return reading_page(self.place, request, session, "list.html", cases=cases)


async def waiting(hand: Hand) -> list[Case]:
    """Exams that are acquired, with the reports that are begun for them."""
    exams = await exams_where(hand, [("business-status", f"{STATE_SYSTEM}|acquired")], findings=False)
    every = [f"ServiceRequest/{exam.id}" for exam in exams]
    ways = [[("based-on", ",".join(portion)), ("status", _TO_READ)] for portion in in_portions(every)]
    found = await asyncio.gather(*(hand.found("DiagnosticReport", way) for way in ways))
    by_request = {names.reference_in(report.get("basedOn")): report for reports in found for report in reports}
    return [Case(exam, by_request.get(f"ServiceRequest/{exam.id}")) for exam in exams]
