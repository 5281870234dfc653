"""All pages of the department, for a process that serves the front."""

from __future__ import annotations

from starlette.routing import Route

from slipring.department.day import DayPage
from slipring.department.downtime import DowntimePages
from slipring.department.eqa import EqaPages
from slipring.department.home import HomePage
from slipring.department.images_given import ImagesGivenPage
from slipring.department.live import LivePages
from slipring.department.one_request import OneRequestPages
from slipring.department.people_due import PeopleDuePage
from slipring.department.performing import PerformingPages
from slipring.department.place import Place
from slipring.department.preparing import PreparingPages
from slipring.department.qc_board import QcBoardPages
from slipring.department.qc_comparisons import QcComparisonsPage
from slipring.department.qc_entry import QcEntryPage
from slipring.department.qc_round import QcRoundPages
from slipring.department.qc_scanner import QcScannerPage
from slipring.department.qc_verifying import QcVerifyingPages
from slipring.department.reception import ReceptionPages
from slipring.department.scanner_state import ScannerStatePages
from slipring.department.worklist import WorklistPages

ROOM = "slipring.department"  # whose templates and words they need


def department_routes(place: Place) -> list[Route]:
    """What is served below `/department`."""
    kinds = (
        HomePage, WorklistPages, PreparingPages, OneRequestPages, ImagesGivenPage, ReceptionPages, DayPage, ScannerStatePages,
        PerformingPages, PeopleDuePage, QcBoardPages, QcEntryPage, QcScannerPage, QcRoundPages,
        QcVerifyingPages, QcComparisonsPage, EqaPages, DowntimePages, LivePages,
    )  # fmt: skip
    return [route for kind in kinds for route in kind(place).routes()]
