"""All pages of the department, for a process that serves the front."""

from __future__ import annotations

from starlette.routing import Route

from slipring.department.home import HomePage
from slipring.department.one_request import OneRequestPages
from slipring.department.place import Place
from slipring.department.worklist import WorklistPages

ROOM = "slipring.department"  # whose templates and words they need


def department_routes(place: Place) -> list[Route]:
    """What is served below `/department`."""
    pages = (HomePage(place), WorklistPages(place), OneRequestPages(place))
    return [route for page in pages for route in page.routes()]
