"""How long reports took: what warns now first, then each class of exam with its spread, its weeks, and the cases that were late."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.answered import groups_of, values_of
from slipring.department.exams import Exam, exams_of
from slipring.department.place import Place, Words, wrong
from slipring.department.road import Hand, Tree
from slipring.department.wanted import day_of
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session
from slipring.pages.plots.bars import Band, Bars, bars_of
from slipring.pages.plots.trend import Figure, Trend, trend_of
from slipring.reading.cases import Waiting, waiting
from slipring.review.measured import bounds_in
from slipring.review.workplace import carried, review_page

TURNAROUND = "/reading/turnaround"
_USUAL = timedelta(weeks=8)
_MOST_LATE = 200  # cases that are listed; the figures count all


@dataclass(frozen=True, slots=True)
class Took:
    """What one class of exams came to."""

    told: Mapping[str, Any]
    spread: Bars
    weeks: Sequence[tuple[Mapping[str, Any], Figure]]
    definitions: Sequence[Mapping[str, Any]]
    late: Sequence[str]  # readings, as Task/id

    @property
    def code(self) -> str:
        """The clock's code; all for every exam."""
        return str(self.told["of"])

    @property
    def counted(self) -> int:
        """How many the share is of."""
        return int(self.told["inTime"]) + int(self.told["late"])

    @property
    def bounds(self) -> tuple[float, float, float] | None:
        """The share in time, with its interval; None where nothing counts."""
        return bounds_in(self.told, "share")

    @property
    def picture(self) -> Trend:
        """The share in time, week by week."""
        return trend_of([figure for _, figure in self.weeks])


@dataclass(frozen=True, slots=True)
class Late:
    """A reading that was late, or is."""

    task: Tree
    exam: Exam | None

    @property
    def due(self) -> datetime | None:
        """By when its report was due."""
        return names.moment(self.task.get("restriction", {}).get("period", {}).get("end"))

    @property
    def issued(self) -> datetime | None:
        """When it was issued; None while it is not."""
        return next((names.moment(one) for one in carried(self.task, "issued")), None)

    @property
    def address(self) -> str:
        """Where its exam is read."""
        return f"/reading/exams/{names.reference_in(self.task.get('focus')).rpartition('/')[2]}"


@dataclass(frozen=True, slots=True)
class TurnaroundPage:
    """The figures of a period."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/turnaround`."""
        return self.place.routes([(TURNAROUND, self.shown, ["GET"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """`?from=&to=`; of the last eight weeks without."""
        today = self.place.now().astimezone(self.place.zone).date()
        first = day_of(request.query_params.get("from", "")) or today - _USUAL
        last = day_of(request.query_params.get("to", "")) or today
        period = {"start": first.isoformat(), "end": last.isoformat()}
        given: list[Tree] = [
            {"name": "period", "valuePeriod": period},
            {"name": "by", "valueCode": "clock"},
            {"name": "per", "valueCode": "week"},
        ]
        hand, beside, status = await self.place.hand(session), Words(), 200
        answer: Sequence[Tree] = []
        try:
            answer = (await hand.called("DiagnosticReport/$turnaround", given))["parameter"]
        except FhirError as refused:
            beside, status = wrong(refused, request, given, {}), refused.status
        found = [_took(part) for part in groups_of(answer, "group")]
        pending, late = await asyncio.gather(_pending(hand), _late(hand, found))
        return review_page(
            self.place, request, session, "turnaround.html", status=status, address=TURNAROUND, first=first, last=last,
            found=found, pending=pending, late=late, beside=beside,
        )  # fmt: skip


async def _pending(hand: Hand) -> Waiting:
    """What is due soon or overdue now, the most urgent first."""
    return await waiting(hand, ("warned", "breached"))


async def _late(hand: Hand, found: Sequence[Took]) -> dict[str, Late]:
    """The late readings by reference, each with its exam."""
    wanted = [one for took in found if took.code != "all" for one in took.late][:_MOST_LATE]
    tasks = await hand.about("Task", "_id", [one.rpartition("/")[2] for one in wanted]) or []
    exams = await exams_of(hand, "focus", [names.reference_in(one.get("focus")) for one in tasks])
    by_request = {f"ServiceRequest/{exam.id}": exam for exam in exams}
    return {f"Task/{one['id']}": Late(one, by_request.get(names.reference_in(one.get("focus")))) for one in tasks}


def _took(part: Sequence[Tree]) -> Took:
    told, weeks = values_of(part), []
    for span in groups_of(part, "span"):
        week = values_of(span)
        counted = int(week["inTime"]) + int(week["late"])
        counts = f"{week['inTime']}/{counted}" if counted else ""
        weeks.append((week, Figure(str(week["start"])[5:], bounds_in(week, "share"), counts)))
    return Took(
        told,
        bars_of([_band(values_of(band)) for band in groups_of(part, "band")]),
        weeks,
        [values_of(one) for one in groups_of(part, "definition")],
        [names.reference_in(one["valueReference"]) for one in part if one["name"] == "lateReading"],
    )


def _band(told: Mapping[str, Any]) -> Band:
    below, above = told["from"] * 100, told.get("to")
    name = f"> {below:.0f} %" if above is None else f"{below:.0f}-{above * 100:.0f} %"
    return Band(name, int(told["count"]), beyond=told["from"] >= 1)
