"""The consent on paper: what `Consent/[id]/$print` makes, handed to the person's browser."""

from __future__ import annotations

import base64
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.bedside.bed import BEDSIDE
from slipring.department.place import Place, named_in
from slipring.identity.people.sessions import Session
from slipring.pages.headers import page_headers

_PDF, _HTML = "application/pdf", "text/html"
# A document of its own: its style and its pictures are inside it, and nothing runs.
_SEALED_OFF = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox"


@dataclass(frozen=True, slots=True)
class PrintPage:
    """A consent to print."""

    place: Place

    def routes(self) -> list[Route]:
        """`/bedside/consents/{id}/print`: a page; with `as=pdf`, a PDF."""
        return self.place.routes([(f"{BEDSIDE}/consents/{{id}}/print", self.shown, ["GET"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """The paper as the service makes it."""
        consent = named_in(request, "Consent")
        wanted = _PDF if request.query_params.get("as") == "pdf" else _HTML
        hand = await self.place.hand(session)
        paper = await hand.called(f"Consent/{consent}/$print", [{"name": "format", "valueCode": wanted}])
        headers = page_headers(secure=self.place.pages.secure(request))
        headers["Content-Security-Policy"] = _SEALED_OFF
        if wanted == _PDF:
            headers["Content-Disposition"] = 'inline; filename="consent.pdf"'
        return Response(base64.b64decode(paper["data"]), media_type=str(paper["contentType"]), headers=headers)
