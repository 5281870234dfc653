"""What the pages of the reading room share: their address, how one is drawn, and what an open one watches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from slipring.department.place import Place
from slipring.identity.people.sessions import Session

READING = "/reading"
LIVE = f"{READING}/live"
# What an open list asks about: a type, and which of it.
WATCHED: Mapping[str, Sequence[tuple[str, str]]] = {
    "Task": [("code", "exam,reading,hand-over,second-read")],
    "DiagnosticReport": [],
}
# Of these an open list hears at once: a case that comes, is taken or given back, or whose clock moves.
URGENT: Mapping[str, Sequence[tuple[str, str]]] = {"Task": [("code", "reading")]}


def reading_page(
    place: Place,
    request: Request,
    session: Session,
    template: str,
    *,
    live: str = LIVE,
    locks_itself: bool = False,
    **values: Any,
) -> Response:
    """A page of the reading room.

    `live`: the address that an open one asks whether anything changed; `locks_itself`: its script locks the screen, once
    what was typed is saved.
    """
    seconds = int(place.idle.total_seconds()) + 1
    shown = place.page(request, session, f"reading/{template}", live=live, idle_seconds=seconds, **values)
    if locks_itself:
        del shown.headers["Refresh"]
    return shown
