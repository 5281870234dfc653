"""All pages on which the reading room looks back, for a process that serves the front.

A page is one more file here: a class with `place` and `routes()`, named in `review_routes`; its template in `templates/`
extends `review/frame.html`; its Chinese words stand in `locale/zh_CN.po`.
"""

from __future__ import annotations

from starlette.routing import Route

from slipring.department.place import Place
from slipring.review.conferences import ConferencesPage
from slipring.review.discussing import DiscussingPage
from slipring.review.drawing import DrawingPage
from slipring.review.holding import HoldingPage
from slipring.review.image_grading import ImageGradingPages
from slipring.review.indicators import IndicatorsPages
from slipring.review.one_conference import OneConferencePages
from slipring.review.one_indicator import OneIndicatorPages
from slipring.review.quality import QualityPage
from slipring.review.re_reading import ReReadingPages
from slipring.review.scoring import ScoringPage
from slipring.review.turnaround import TurnaroundPage

ROOM = "slipring.review"  # whose templates and words they need


def review_routes(place: Place) -> list[Route]:
    """What is served below `/reading` beside the reading itself."""
    kinds = (
        ConferencesPage, OneConferencePages, DiscussingPage, QualityPage, TurnaroundPage, IndicatorsPages, OneIndicatorPages,
        ReReadingPages, ScoringPage, DrawingPage, HoldingPage, ImageGradingPages,
    )  # fmt: skip
    return [route for kind in kinds for route in kind(place).routes()]
