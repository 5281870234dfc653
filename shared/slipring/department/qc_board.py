"""The quality board: every scanner's tests that ask for something, rounds that wait, the calendar of what is due, and a comparison."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department.answered import groups_of, values_of
from slipring.department.bookings import Scanner, scanners
from slipring.department.names import Pair, reference_in
from slipring.department.place import Place, may
from slipring.department.qc_reading import ADDRESS, Programme, Test, programme_of, rounds_of
from slipring.department.qc_verifying import Failure, failures_of
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import forbidden
from slipring.identity.people.sessions import Session

_FEWEST = 2  # scanners that can be compared


@dataclass(frozen=True, slots=True)
class Due:
    """One test of one scanner in the calendar."""

    scanner: Scanner
    test: Test


@dataclass(frozen=True, slots=True)
class Pairing:
    """Two scanners side by side in one test."""

    names: tuple[str, str]
    told: dict[str, Any]


@dataclass(frozen=True, slots=True)
class QcBoardPages:
    """`/department/qc`, its calendar, and scanners compared."""

    place: Place

    def routes(self) -> list[Route]:
        """The three pages."""
        return self.place.routes(
            [
                (ADDRESS, self.board, ["GET"]),
                (f"{ADDRESS}/calendar", self.calendar, ["GET"]),
                (f"{ADDRESS}/compare", self.compared, ["GET"]),
            ]
        )

    async def board(self, request: Request, session: Session) -> Response:
        """Each scanner with what is failed, overdue or due soon, and its rounds that wait for somebody."""
        hand = await self.place.hand(session)
        every, waiting, failures = await asyncio.gather(
            _programmes(hand), rounds_of(hand, waiting=True), failures_of(hand)
        )
        shown = [
            Programme(one.scanner, one.edition, one.tests, [r for r in waiting if r.scanner == one.scanner.reference])
            for one in every
        ]
        called = {test.code: test.words for one in every for test in one.tests}
        return self.place.page(
            request, session, "qc_board.html", programmes=shown, failures=[Failure(one.task, called) for one in failures],
            may_enter=may(session, "Device", "u"), address=ADDRESS,
        )  # fmt: skip

    async def calendar(self, request: Request, session: Session) -> Response:
        """What is due on which day, month by month; what is late already, or was never made, first."""
        every = await _programmes(await self.place.hand(session))
        today = self.place.now().astimezone(self.place.zone).date()
        dues = [Due(one.scanner, test) for one in every for test in one.tests if test.intervals]
        late = [one for one in dues if one.test.due_on is None or one.test.due_on < today]
        months: dict[str, list[Due]] = {}
        for one in sorted((one for one in dues if one not in late), key=_day):
            months.setdefault(_day(one).strftime("%Y-%m"), []).append(one)
        return self.place.page(
            request,
            session,
            "qc_calendar.html",
            late=sorted(late, key=_day),
            months=months,
            today=today,
            address=ADDRESS,
        )

    async def compared(self, request: Request, session: Session) -> Response:
        """`Device/$compare-qc` over all scanners in one test."""
        hand = await self.place.hand(session)
        every = await _programmes(hand)
        tests: dict[str, Pair] = {test.code: test.words for one in every[:1] for test in one.tests}
        asked = request.query_params.get("test", "")
        test = asked if asked in tests else next(iter(code for code in tests if code == "water"), "")
        pairs: list[Pairing] = []
        if len(every) >= _FEWEST and test:
            pairs = await _compared(hand, [one.scanner for one in every], test)
        return self.place.page(
            request, session, "qc_compare.html", tests=tests, test=test, pairs=pairs, scanners=[one.scanner for one in every],
            address=ADDRESS,
        )  # fmt: skip


async def _programmes(hand: Hand) -> list[Programme]:
    found = await scanners(hand)
    told = await asyncio.gather(*(programme_of(hand, one) for one in found or [] if one.in_use))
    if found is None or None in told:
        raise forbidden(
            "Your roles do not open the tests of scanners.",
            "您的岗位无权查看 CT 设备检测。",
            detail="department.qc-closed",
        )
    return [one for one in told if one is not None]


async def _compared(hand: Hand, every: Sequence[Scanner], test: str) -> list[Pairing]:
    called = {one.reference: one.name for one in every}
    given: list[Tree] = [{"name": "test", "valueCode": test}]
    given += [{"name": "scanner", "valueReference": {"reference": one}} for one in called]
    said = (await hand.called("Device/$compare-qc", given)).get("parameter", [])
    found = []
    for parts in groups_of(said, "pair"):
        first, second = (called[reference_in(one["valueReference"])] for one in parts if one["name"] == "scanner")
        found.append(Pairing((first, second), values_of(parts)))
    return found


def _day(one: Due) -> date:
    return one.test.due_on or date.min
