"""Images show the side that was ordered."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.images.facts import ImageFacts

_ONE_SIDE = (frozenset({"left"}), frozenset({"right"}))


@rule("order.image-laterality", clause="CL02-A011:5.6.2.3", weight="stop", domain="image-mismatch")
def shows_the_ordered_side(facts: ImageFacts, limits: Limits, now: datetime) -> Hit | None:
    """A request for one side has images of that side.

    Images of both sides hold the one ordered; a side that only the description names asks and does not stop.
    """
    coded = facts.image.sides
    shown = coded or facts.image.described_sides
    if facts.sides not in _ONE_SIDE or shown not in _ONE_SIDE or shown == facts.sides:
        return None
    return Hit(
        "图像的左右侧与申请不一致。",
        "The images show the other side than the request asks for.",
        at=facts.at,
        inputs={"differs": ["side"], "images": sorted(shown), "order": sorted(facts.sides)},
        weight=None if coded else Weight.ASK,
    )
