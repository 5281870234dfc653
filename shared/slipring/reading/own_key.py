"""The signing key of whoever is signed in: made in his browser, where it stays; and the certificate that goes with it."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department.place import Place
from slipring.identity.people.sessions import Session
from slipring.reading.workplace import READING, reading_page


@dataclass(frozen=True, slots=True)
class OwnKeyPages:
    """Make a key, ask for its certificate, put the certificate beside it."""

    place: Place

    def routes(self) -> list[Route]:
        """`/reading/key`."""
        return self.place.routes([(f"{READING}/key", self.shown, ["GET"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """How the key of this browser stands; its script alone knows it."""
        return reading_page(self.place, request, session, "key.html", who=session.account.practitioner)
