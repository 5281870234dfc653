"""The indicators of the department over a period, each with its target and months (4.14.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department.place import Place, Words, wrong
from slipring.department.road import Hand, Tree
from slipring.department.wanted import day_of
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session
from slipring.measuring.spelling import TARGET_OF
from slipring.measuring.targets import indicator_of
from slipring.qc.indicators.definition import Definition, definitions
from slipring.review.indicated import Indicated, indicated
from slipring.review.workplace import review_page

INDICATORS = "/reading/indicators"
LETTERS = {"order": "o", "consent": "c", "report": "r", "critical": "k"}
_USUAL = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class IndicatorsPages:
    """All figures of a period, and the drafted targets that a second person is awaited for."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/indicators`."""
        return self.place.routes([(INDICATORS, self.shown, ["GET"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """`?from=&to=`; of the last half year without."""
        first, last = period_of(request, self.place)
        hand, beside, status = await self.place.hand(session), Words(), 200
        given = given_of(first, last, per=("valueCode", "month"))
        found: list[Indicated] | None = []
        try:
            found = await _all(hand, given, first, last)
        except FhirError as refused:
            beside, status = wrong(refused, request, given, {}), refused.status
        return review_page(
            self.place, request, session, "indicators.html", status=status, address=INDICATORS, first=first, last=last,
            found=found, beside=beside, waiting=await _waiting(hand),
        )  # fmt: skip


async def _all(hand: Hand, given: Sequence[Tree], first: date, last: date) -> list[Indicated] | None:
    """Every figure that the person's roles open, in the order of the definitions; None when they open none."""
    answers = await asyncio.gather(
        *(hand.called_if_allowed(f"Measure/${service}-indicators", given) for service in LETTERS)
    )
    if all(one is None for one in answers):
        return None
    reports = [part["resource"] for one in answers for part in one or ()]
    told = {one.definition.id: one for each in reports if (one := indicated(each, LETTERS, first, last))}
    return [told[name] for name in definitions() if name in told]


async def _waiting(hand: Hand) -> list[Definition]:
    """The indicators with a drafted target that nobody approved yet, as far as the person's roles open it."""
    drafts = await hand.if_allowed("Measure", [("identifier", f"{TARGET_OF}|"), ("status", "draft")]) or []
    drafted = {indicator_of(one) for one in drafts}
    return [one for one in definitions().values() if one.id in drafted]


def period_of(request: Request, place: Place) -> tuple[date, date]:
    """`?from=&to=` in days; the last half year without."""
    today = place.now().astimezone(place.zone).date()
    first, last = (day_of(request.query_params.get(name, "")) for name in ("from", "to"))
    return first or (last or today) - _USUAL, last or today


def given_of(first: date, last: date, **more: tuple[str, Any]) -> list[Tree]:
    """The parameters of an evaluation over a period; `more`: name -> (kind of value, value)."""
    period: list[Tree] = [
        {"name": "periodStart", "valueDate": first.isoformat()},
        {"name": "periodEnd", "valueDate": last.isoformat()},
    ]
    return period + [{"name": name, kind: value} for name, (kind, value) in more.items()]
