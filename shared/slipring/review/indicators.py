"""The indicators of the department over a period, each with its target and months, and the cases behind each figure (4.14.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.place import Place, Words, wrong
from slipring.department.road import Hand, Tree
from slipring.department.wanted import day_of
from slipring.fhir.outcome import FhirError, not_found
from slipring.identity.people.sessions import Session
from slipring.qc.indicators.definition import definitions
from slipring.review.indicated import Indicated, address_of, indicated
from slipring.review.workplace import chosen, review_page

INDICATORS = "/reading/indicators"
MEMBERS = ("missed", "numerator", "denominator-exclusion")
_LETTERS = {"order": "o", "consent": "c", "report": "r", "critical": "k"}
_USUAL = timedelta(days=180)
_PORTION = 100  # cases on one page
_DIGITS = 8  # of a place in a list, and more


@dataclass(frozen=True, slots=True)
class IndicatorsPages:
    """All figures of a period, and the cases of one of them."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/indicators` and below it one page per indicator."""
        return self.place.routes(
            [(INDICATORS, self.shown, ["GET"]), (f"{INDICATORS}/{{indicator}}", self.one, ["GET"])]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """`?from=&to=`; of the last half year without."""
        first, last = self._period(request)
        hand, beside, status = await self.place.hand(session), Words(), 200
        given = _given(first, last, per=("valueCode", "month"))
        found: list[Indicated] | None = []
        try:
            found = await _all(hand, given, first, last)
        except FhirError as refused:
            beside, status = wrong(refused, request, given, {}), refused.status
        return review_page(
            self.place, request, session, "indicators.html", status=status, address=INDICATORS, first=first, last=last,
            found=found, beside=beside,
        )  # fmt: skip

    async def one(self, request: Request, session: Session) -> Response:
        """`?from=&to=&members=&after=`: the cases, a hundred at a time."""
        definition = definitions().get(request.path_params["indicator"])
        if definition is None:
            raise not_found("Measure")
        first, last = self._period(request)
        of = chosen(request.query_params, "members", MEMBERS)
        typed = request.query_params.get("after", "")
        after = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < _DIGITS else 0
        hand, beside, status = await self.place.hand(session), Words(), 200
        keeper = f"{_LETTERS[definition.service]}-{definition.id}-{definition.version}"
        given = _given(
            first, last, reportType=("valueCode", "subject-list"), members=("valueCode", of),
            count=("valueInteger", _PORTION), offset=("valueInteger", after),
        )  # fmt: skip
        report: Tree = {}
        try:
            report = await hand.called(f"Measure/{keeper}/$evaluate-measure", given)
        except FhirError as refused:
            beside, status = wrong(refused, request, given, {}), refused.status
        figure = indicated(report, _LETTERS, first, last) if report else None
        return review_page(
            self.place, request, session, "indicator.html", status=status, address=INDICATORS, first=first, last=last,
            definition=definition, figure=figure, cases=_cases(report), of=of, ways=MEMBERS, after=after, portion=_PORTION,
            beside=beside,
        )  # fmt: skip

    def _period(self, request: Request) -> tuple[date, date]:
        today = self.place.now().astimezone(self.place.zone).date()
        first, last = (day_of(request.query_params.get(name, "")) for name in ("from", "to"))
        return first or (last or today) - _USUAL, last or today


async def _all(hand: Hand, given: Sequence[Tree], first: date, last: date) -> list[Indicated] | None:
    """Every figure that the person's roles open, in the order of the definitions; None when they open none."""
    answers = await asyncio.gather(
        *(hand.called_if_allowed(f"Measure/${service}-indicators", given) for service in _LETTERS)
    )
    if all(one is None for one in answers):
        return None
    reports = [part["resource"] for one in answers for part in one or ()]
    told = {one.definition.id: one for each in reports if (one := indicated(each, _LETTERS, first, last))}
    return [told[name] for name in definitions() if name in told]


def _given(first: date, last: date, **more: tuple[str, Any]) -> list[Tree]:
    period: list[Tree] = [
        {"name": "periodStart", "valueDate": first.isoformat()},
        {"name": "periodEnd", "valueDate": last.isoformat()},
    ]
    return period + [{"name": name, kind: value} for name, (kind, value) in more.items()]


def _cases(report: Tree) -> list[dict[str, Any]]:
    found = []
    for listed in report.get("contained", []):
        for entry in listed.get("entry", []):
            reference = names.reference_in(entry["item"])
            found.append({"reference": reference, "address": address_of(reference), "at": names.moment(entry["date"])})
    return found
