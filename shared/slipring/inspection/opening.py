"""All pages of the clauses, for a process that serves the front."""

from __future__ import annotations

from starlette.routing import Route

from slipring.department.place import Place
from slipring.inspection.board import ClausePages
from slipring.inspection.samples import SamplePages

ROOM = "slipring.inspection"  # whose templates and words they need


def inspection_routes(place: Place) -> list[Route]:
    """What is served below `/clauses`."""
    board = ClausePages(place)
    return [*board.routes(), *SamplePages(place, board.offered).routes()]
