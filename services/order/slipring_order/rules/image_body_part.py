"""Images show the part of the body that was ordered."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.images.facts import ImageFacts


@rule("order.image-body-part", clause="CL02-A011:5.6.2.3", weight="stop", domain="image-mismatch")
def shows_the_ordered_part(facts: ImageFacts, limits: Limits, now: datetime) -> Hit | None:
    """The body part in the images is one of those ordered.

    A coded part that has nothing in common with the order stops; where only the description says so, it asks.
    """
    coded = facts.image.regions
    shown = coded or facts.image.described_regions
    if not shown or not facts.regions or shown & facts.regions:
        return None
    return Hit(
        "图像中的部位与申请不一致。",
        "The images show another part of the body than the request asks for.",
        at=facts.at,
        inputs={"differs": ["body-part"], "images": sorted(shown), "order": sorted(facts.regions)},
        weight=None if coded else Weight.ASK,
    )
