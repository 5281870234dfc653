"""All pages of alerts, for a process that serves the front."""

from __future__ import annotations

from starlette.routing import Route

from slipring.alerts.boards import LIVE, WATCHED, BoardPages
from slipring.alerts.indicators import IndicatorPage
from slipring.alerts.link import LinkPages
from slipring.alerts.receiver import Door
from slipring.department.live import LivePages

ROOM = "slipring.alerts"  # whose templates and words they need


def alert_routes(door: Door) -> list[Route]:
    """What is served below `/alerts`, and behind the links of messages."""
    pages = (
        LivePages(door.place, LIVE, WATCHED, WATCHED),
        BoardPages(door),
        IndicatorPage(door.place),
        LinkPages(door),
    )
    return [route for page in pages for route in page.routes()]
