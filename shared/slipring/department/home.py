"""The first page after sign-in: what this person's roles open, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from slipring.department.place import HOME, Place, places_of
from slipring.identity.people.roles import ADMINISTER, the_roles
from slipring.identity.people.sessions import Session


@dataclass(frozen=True, slots=True)
class HomePage:
    """The ways into the department."""

    place: Place

    def routes(self) -> list[Route]:
        """`/department`."""
        return self.place.routes([(HOME, self.shown, ["GET"])])

    async def shown(self, request: Request, session: Session) -> Response:
        """A tile for each."""
        tiles = places_of(session)
        administers = ADMINISTER in the_roles().scopes(session.roles)
        return self.place.page(request, session, "home.html", tiles=tiles, may_administer=administers)
