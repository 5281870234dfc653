"""All pages of the reading room, for a process that serves the front.

A page is one more file here: a class with `place` and `routes()`, named in `reading_routes`; its template in `templates/`
extends `reading/frame.html`; its Chinese words stand in `locale/zh_CN.po`.
"""

from __future__ import annotations

from starlette.routing import Route

from slipring.department.live import LivePages
from slipring.department.place import Place
from slipring.reading.amending import AmendPage
from slipring.reading.checks import CheckPage
from slipring.reading.editor import EditorPages
from slipring.reading.holding import HoldingPage
from slipring.reading.own_key import OwnKeyPages
from slipring.reading.previewing import PreviewPage
from slipring.reading.proof_page import ProofPage
from slipring.reading.reading_list import ReadingListPage
from slipring.reading.second_reads import SecondReadPages
from slipring.reading.signing import SigningPages
from slipring.reading.verifying import VerifyPage
from slipring.reading.version_pages import VersionPages
from slipring.reading.ward import WARD_LIVE, WARD_WATCHED, WardPages
from slipring.reading.withdrawing import WithdrawPage
from slipring.reading.workplace import LIVE, URGENT, WATCHED

ROOM = "slipring.reading"  # whose templates and words they need


def reading_routes(place: Place) -> list[Route]:
    """What is served below `/reading` and `/ward`, and at `/verify`."""
    kinds = (
        ReadingListPage, EditorPages, PreviewPage, SigningPages, OwnKeyPages, VerifyPage, CheckPage, WardPages, ProofPage,
        AmendPage, WithdrawPage, SecondReadPages, VersionPages, HoldingPage,
    )  # fmt: skip
    return [
        *LivePages(place, LIVE, WATCHED, URGENT).routes(),
        *LivePages(place, WARD_LIVE, WARD_WATCHED).routes(),
        *(route for kind in kinds for route in kind(place).routes()),
    ]
