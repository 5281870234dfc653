"""One scanner's programme: every test with its limits, intervals and baseline, and a control chart of each that was measured."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department.answered import groups_of, values_of
from slipring.department.bookings import Scanner
from slipring.department.names import reference_in
from slipring.department.place import Place, may, named_in
from slipring.department.qc_reading import ADDRESS, Test, programme_of, rounds_of
from slipring.department.road import Hand, Tree
from slipring.department.staff import people_named
from slipring.fhir.outcome import not_found
from slipring.identity.people.sessions import Session
from slipring.pages.plots.control import Control, Reading, Span, control_of
from slipring.qc.equipment.charts import rule_names

_SHOWN = 60  # values of a chart, the newest


@dataclass(frozen=True, slots=True)
class Dot:
    """One value of a chart, in what the page says of it."""

    at: datetime
    value: Decimal
    round: str  # id, '' when it was entered outside of one
    kind: str
    flags: Sequence[str]
    waits: bool
    passes: bool | None
    smoothed: Decimal | None
    drifts: bool

    @property
    def shape(self) -> str:
        """Fails its limit; breaks a rule of the chart; waits for approval; or nothing of these."""
        if self.passes is False:
            return "bad"
        return "waits" if self.waits else "warn" if self.flags or self.drifts else "good"


@dataclass(frozen=True, slots=True)
class Charted:
    """A test with its chart."""

    test: Test
    picture: Control[Dot]
    centred: bool  # whether there are values enough for limits of its own


@dataclass(frozen=True, slots=True)
class QcScannerPage:
    """`/department/qc/scanners/{id}`."""

    place: Place

    def routes(self) -> list[Route]:
        """The page."""
        return self.place.routes([(f"{ADDRESS}/scanners/{{id}}", self.shown, ["GET"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """Programme, charts and rounds."""
        hand = await self.place.hand(session)
        scanner = Scanner(await hand.read(f"Device/{named_in(request, 'Device')}"))
        programme, rounds = await asyncio.gather(
            programme_of(hand, scanner), rounds_of(hand, scanner.reference, most=24)
        )
        if programme is None:
            raise not_found("Device")
        measured = [test for test in programme.tests if test.at is not None and test.value is not None]
        charts = await asyncio.gather(*(_charted(hand, scanner, test) for test in measured))
        approvers = [test.baseline.approver for test in programme.tests if test.baseline and test.baseline.approver]
        people = await people_named(hand, [*approvers, *(one.owner for one in rounds if one.owner)])
        return self.place.page(
            request, session, "qc_scanner.html", scanner=scanner, programme=programme, charts=charts, rounds=rounds,
            people=people, rules=rule_names(), may_enter=may(session, "Device", "u"), address=ADDRESS,
        )  # fmt: skip


async def _charted(hand: Hand, scanner: Scanner, test: Test) -> Charted:
    asked = [{"name": "test", "valueCode": test.code}]
    said = (await hand.called(f"{scanner.reference}/$qc-chart", asked)).get("parameter", [])
    bounds = values_of(said)
    points, phases = groups_of(said, "point")[-_SHOWN:], [values_of(one) for one in groups_of(said, "phase")]
    read = [_reading(parts) for parts in points]
    spans = _spans(points, phases)
    picture = control_of(read, spans, low=_float(bounds.get("low")), high=_float(bounds.get("high")))
    return Charted(test, picture, any(one.mean is not None for one in spans))


def _reading(parts: Sequence[Tree]) -> Reading[Dot]:
    told = values_of(parts)
    flags = [str(one["valueCode"]) for one in parts if one["name"] == "flag"]
    smoothed = told.get("smoothed")
    drifts = smoothed is not None and not told["smoothedLow"] <= smoothed <= told["smoothedHigh"]
    dot = Dot(
        at=datetime.fromisoformat(str(told["at"])),
        value=told["value"],
        round=reference_in(told.get("round")).rpartition("/")[2],
        kind=str(told["kind"]),
        flags=flags,
        waits=bool(told["waits"]),
        passes=told.get("passes"),
        smoothed=smoothed,
        drifts=drifts,
    )
    return Reading(float(told["value"]), dot, _float(smoothed), bool(told["baseline"]))


def _spans(points: Sequence[Sequence[Tree]], phases: Sequence[dict[str, Any]]) -> list[Span]:
    """Where each phase begins among the values that are drawn; values that wait belong to none and stand at the end."""
    numbers = [values_of(parts).get("phase") for parts in points]
    found = []
    for number, phase in enumerate(phases):
        if number in numbers:
            found.append(Span(numbers.index(number), *(_float(phase.get(name)) for name in ("mean", "low", "high"))))
    return found


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
