"""Images carry the imaging number of their exam."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.images.facts import ImageFacts


@rule("order.image-accession", clause="CL02-A011:5.4.6", weight="stop", domain="image-mismatch")
def carries_the_imaging_number(facts: ImageFacts, limits: Limits, now: datetime) -> Hit | None:
    """The unique imaging number in the images is the one the request was given.

    Images without a number are warned about: nothing in them is wrong, but nothing ties them to the exam.
    """
    if not facts.accession or facts.image.accession == facts.accession:
        return None
    if not facts.image.accession:
        return Hit(
            "图像未带影像检查号。", "The images carry no imaging number.", at=facts.at, inputs={"differs": ["missing"]},
            weight=Weight.WARN,
        )  # fmt: skip
    return Hit(
        "图像中的影像检查号与申请不一致。",
        "The images carry another imaging number than the request.",
        at=facts.at,
        inputs={"differs": ["accession"]},
    )
