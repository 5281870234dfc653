"""All pages of the department, for a process that serves the front."""

from __future__ import annotations

from starlette.routing import Route

from slipring.department.day import DayPage
from slipring.department.home import HomePage
from slipring.department.one_request import OneRequestPages
from slipring.department.people_due import PeopleDuePage
from slipring.department.performing import PerformingPages
from slipring.department.place import Place
from slipring.department.reception import ReceptionPages
from slipring.department.worklist import WorklistPages

ROOM = "slipring.department"  # whose templates and words they need


def department_routes(place: Place) -> list[Route]:
    """What is served below `/department`."""
    kinds = (HomePage, WorklistPages, OneRequestPages, ReceptionPages, DayPage, PerformingPages, PeopleDuePage)
    return [route for kind in kinds for route in kind(place).routes()]
