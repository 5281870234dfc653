"""How a report reads: the rendering that is signed, or the one that was released."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department.place import Place, named_in
from slipring.department.road import Hand, Tree
from slipring.identity.people.sessions import Session
from slipring.pages.blocks import Block, blocks
from slipring.reading.one_report import OneReport, of_report
from slipring.reading.workplace import READING, reading_page


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """The rendering of a report."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/reports/{id}/preview`."""
        return self.place.routes([(f"{READING}/reports/{{id}}/preview", self.shown, ["GET"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """Word for word what a signature is over."""
        hand = await self.place.hand(session)
        one = await of_report(hand, named_in(request, "DiagnosticReport"))
        return reading_page(
            self.place, request, session, "preview.html", one=one, exam=one.exam, words=await rendering_of(hand, one)
        )


async def rendering_of(hand: Hand, one: OneReport) -> list[Block]:
    """The words of the rendering, of an open report as `$signing-input` gives it."""
    if one.open:
        answer = await hand.called(f"{one.reference}/$signing-input", [{"name": "role", "valueCode": "author"}])
        return next(
            (words_of(part["valueAttachment"]) for part in answer["parameter"] if part["name"] == "rendering"), []
        )
    return words_in_page(one.report)


def words_in_page(report: Tree | None) -> list[Block]:
    """The words of the rendering that a report was released with; none where it has no page."""
    return next((words_of(each) for each in (report or {}).get("presentedForm", []) if _is_page(each)), [])


def words_of(attachment: Tree) -> list[Block]:
    """A rendering as blocks of words, for a page to show."""
    return blocks(base64.b64decode(attachment.get("data", "")).decode("utf-8", "replace"))


def _is_page(attachment: Tree) -> bool:
    return str(attachment.get("contentType", "")).startswith("text/html")
