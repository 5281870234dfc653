"""The department's score sheet for the words of a report, filled in by a second person who is told no name (4.14.7)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department import names
from slipring.department.answered import values_of
from slipring.department.names import Pair
from slipring.department.place import Place, Words, may, named_in, wrong
from slipring.department.road import Hand, Tree
from slipring.fhir.outcome import FhirError
from slipring.identity.people.sessions import Session
from slipring.reading.one_report import of_report
from slipring.reading.signing import standing_signatures
from slipring.review.workplace import review_page

_MAX_VALUE = "http://hl7.org/fhir/StructureDefinition/maxValue"


@dataclass(frozen=True, slots=True)
class Part:
    """A question of the sheet: points up to `most`, or a veto where that is None."""

    link: str
    words: Pair
    most: Decimal | None


@dataclass(frozen=True, slots=True)
class ScoringPage:
    """The sheet beside the words of one report."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/reports/{id}/score`."""
        at = "/reading/reports/{id}/score"
        return self.place.routes([(at, self.shown, ["GET"]), (at, self.scored, ["POST"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """The sheet in force, empty."""
        return await self._page(request, session, await self.place.hand(session))

    async def scored(self, request: Request, session: Session) -> Response:
        """`DiagnosticReport/[id]/$score`; the page then says what it came to."""
        form, hand = await self.place.posted(request, session), await self.place.hand(session)
        report, parts = named_in(request, "DiagnosticReport"), parts_of(await _sheet(hand))
        response: Tree = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": items(form, parts)}
        given: list[Tree] = [{"name": "response", "resource": response}]
        given += [{"name": "note", "valueString": note}] if (note := form.get("note", "").strip()) else []
        try:
            answer = await hand.called(f"DiagnosticReport/{report}/$score", given)
        except FhirError as refused:
            beside = wrong(refused, request, given, {"note": "note"})
            return await self._page(request, session, hand, form=form, beside=beside, status=refused.status)
        return await self._page(request, session, hand, result=values_of(answer["parameter"]))

    async def _page(
        self, request: Request, session: Session, hand: Hand, *, form: Mapping[str, str] | None = None,
        beside: Words | None = None, result: Mapping[str, Any] | None = None, status: int = 200,
    ) -> Response:  # fmt: skip
        report = named_in(request, "DiagnosticReport")
        one, sheet, signed = await asyncio.gather(
            of_report(hand, report), _sheet(hand), standing_signatures(hand, f"DiagnosticReport/{report}")
        )
        return review_page(
            self.place, request, session, "scoring.html", status=status, one=one, exam=one.exam, signed=len(signed),
            title=names.text_words(sheet, "title"), parts=parts_of(sheet), form=form or {}, beside=beside or {},
            result=result, issued=names.moment((one.report or {}).get("issued")),
            may_score=may(session, "DiagnosticReport", "u"),
        )  # fmt: skip


def parts_of(sheet: Tree) -> list[Part]:
    """The questions of a sheet, in its order."""
    found = []
    for item in sheet.get("item", []):
        most = [one["valueDecimal"] for one in item.get("extension", []) if one.get("url") == _MAX_VALUE]
        points = Decimal(str(most[0])) if most and item.get("type") == "decimal" else None
        found.append(Part(str(item["linkId"]), names.text_words(item, "text"), points))
    return found


def items(form: Mapping[str, str], parts: Sequence[Part]) -> list[Tree]:
    """What was filled in, as items of a response; points that are no number are left out, for the sheet to ask again.

    >>> items({"p.a": "7.5", "p.b": "many", "p.v": "1"}, [Part(k, ("", ""), m) for k, m in zip("abv", (9, 9, None))])
    [{'linkId': 'a', 'answer': [{'valueDecimal': Decimal('7.5')}]}, {'linkId': 'v', 'answer': [{'valueBoolean': True}]}]
    """
    found: list[Tree] = []
    for part in parts:
        typed = form.get(f"p.{part.link}", "").strip()
        if part.most is None:
            found += [{"linkId": part.link, "answer": [{"valueBoolean": True}]}] if typed else []
            continue
        try:
            points = Decimal(typed)
        except InvalidOperation:
            continue
        if points.is_finite():
            found.append({"linkId": part.link, "answer": [{"valueDecimal": points}]})
    return found


async def _sheet(hand: Hand) -> Tree:
    answer = await hand.called("DiagnosticReport/$score-sheet", [])
    return next(one["resource"] for one in answer["parameter"] if one["name"] == "return")
