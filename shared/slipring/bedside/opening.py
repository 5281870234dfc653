"""All pages beside the patient, for a process that serves the front.

A page is one more file here: a class with `place` and `routes()`, named in `bedside_routes`; its template in `templates/`
extends `bedside/frame.html`; its Chinese words stand in `locale/zh_CN.po`. `today.py` is the shortest example.
"""

from __future__ import annotations

from starlette.routing import Route

from slipring.bedside.bed import AT_THE_INJECTOR, LIVE, URGENT, WATCHED, WATCHED_AT_THE_INJECTOR
from slipring.bedside.board import BoardPages
from slipring.bedside.consenting import ConsentPages
from slipring.bedside.deciding import DecidingPages
from slipring.bedside.injection import InjectionPages
from slipring.bedside.printing import PrintPage
from slipring.bedside.rates import RatesPage
from slipring.bedside.reactions import ReactionPages
from slipring.bedside.screening import ScreeningPages
from slipring.bedside.today import TodayPage
from slipring.bedside.told_later import ToldLaterPages
from slipring.department.live import LivePages
from slipring.department.place import Place

ROOM = "slipring.bedside"  # whose templates and words they need


def bedside_routes(place: Place) -> list[Route]:
    """What is served below `/bedside`."""
    kinds = (
        TodayPage,
        BoardPages,
        ScreeningPages,
        DecidingPages,
        ConsentPages,
        InjectionPages,
        PrintPage,
        ReactionPages,
        ToldLaterPages,
        RatesPage,
    )
    return [
        *LivePages(place, LIVE, WATCHED, URGENT).routes(),
        *LivePages(place, AT_THE_INJECTOR, WATCHED_AT_THE_INJECTOR, URGENT).routes(),
        *(route for kind in kinds for route in kind(place).routes()),
    ]
