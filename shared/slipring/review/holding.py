"""A released report held against pathology or the clinic, and what does not agree, by whoever looks back on it (5.6.2.3, 5.9.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department.place import Place, Words, may, named_in, wrong
from slipring.department.road import Hand, Tree
from slipring.department.worklist import coded
from slipring.fhir.outcome import FhirError
from slipring.fhir.service import CANONICAL
from slipring.identity.people.sessions import Session
from slipring.reading.one_report import of_report
from slipring.review.workplace import review_page

_SYSTEMS = (
    "body-system", "concordance-grade", "discordance-cause", "discordance-measure", "discordance-kind", "discordance-aspect",
)  # fmt: skip
# What each form asks for: the parameters of its operation, and how each is typed there.
_CONCORDANCE = {
    "against": "valueCode", "grade": "valueCode", "diagnosis": "valueString", "system": "valueCode",
    "cause": "discordance-cause", "measure": "discordance-measure", "note": "valueString",
}  # fmt: skip
_DISCORDANCE = {"kind": "valueCode", "aspect": "valueCode", "description": "valueString"}
_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class HoldingPage:
    """Both forms beside the words of one report."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/reports/{id}/concordance`."""
        at = "/reading/reports/{id}/concordance"
        return self.place.routes(
            [(at, self.shown, ["GET"]), (at, self.held, ["POST"]), (f"{at}/discordance", self.opened, ["POST"])]
        )

    async def shown(self, request: Request, session: Session) -> Response:
        """The forms, empty."""
        return await self._page(request, session, await self.place.hand(session))

    async def held(self, request: Request, session: Session) -> Response:
        """`DiagnosticReport/[id]/$record-concordance`."""
        return await self._called(request, session, "record-concordance", _CONCORDANCE)

    async def opened(self, request: Request, session: Session) -> Response:
        """`DiagnosticReport/[id]/$open-discordance`."""
        return await self._called(request, session, "open-discordance", _DISCORDANCE)

    async def _called(self, request: Request, session: Session, name: str, asked: Mapping[str, str]) -> Response:
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        report, call = named_in(request, "DiagnosticReport"), given(form, asked)
        try:
            await hand.called(f"DiagnosticReport/{report}/${name}", call)
        except FhirError as refused:
            beside = wrong(refused, request, call, {field: field for field in asked})
            return await self._page(request, session, hand, form=form, beside=beside, of=name, status=refused.status)
        return await self._page(request, session, hand, done=name)

    async def _page(
        self, request: Request, session: Session, hand: Hand, *, form: Mapping[str, str] | None = None,
        beside: Words | None = None, of: str = "", done: str = "", status: int = 200,
    ) -> Response:  # fmt: skip
        report = named_in(request, "DiagnosticReport")
        one, codes = await asyncio.gather(
            of_report(hand, report), asyncio.gather(*(coded(hand, system) for system in _SYSTEMS))
        )
        return review_page(
            self.place, request, session, "holding.html", status=status, one=one, exam=one.exam, form=form or {},
            beside=beside or {}, of=of, done=done, codes=dict(zip(_SYSTEMS, codes, strict=True)),
            may_hold=may(session, "DiagnosticReport", "u"),
        )  # fmt: skip


def given(form: Mapping[str, str], asked: Mapping[str, str]) -> Sequence[Tree]:
    """What was filled in, as parameters; a field left empty is none.

    >>> given({"grade": "discordant", "cause": "missed", "note": " "}, _CONCORDANCE)[1]["valueCodeableConcept"]["coding"][0]["code"]
    'missed'
    """
    found: list[Tree] = []
    for name, kind in asked.items():
        typed = form.get(name, "").strip()[:_LONGEST]
        if typed and kind.startswith("value"):
            found.append({"name": name, kind: typed})
        elif typed:
            coding = {"system": f"{CANONICAL}/CodeSystem/{kind}", "code": typed}
            found.append({"name": name, "valueCodeableConcept": {"coding": [coding]}})
    return found
