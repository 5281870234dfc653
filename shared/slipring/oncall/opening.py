"""All pages of who is on call, for a process that serves the front."""

from __future__ import annotations

from starlette.routing import Route

from slipring.department.live import LivePages
from slipring.department.place import Place
from slipring.identity.people.minting import Mint
from slipring.oncall.importing import ImportPage
from slipring.oncall.rehearsing import RehearsalPage
from slipring.oncall.roster import LIVE, WATCHED, RosterPages
from slipring.oncall.routes import RoutePages

ROOM = "slipring.oncall"  # whose templates and words they need


def on_call_routes(place: Place, mint: Mint) -> list[Route]:
    """What is served below `/alerts/roster`, and behind the links of tests."""
    pages = (
        LivePages(place, LIVE, WATCHED, WATCHED),
        RosterPages(place),
        RehearsalPage(place),
        ImportPage(place),
        RoutePages(place, mint),
    )
    return [route for page in pages for route in page.routes()]
