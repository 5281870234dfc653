"""Images and dose reports belong to an exam of the department."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.images.facts import ImageFacts


@rule("order.image-exam-known", clause="CL02-A011:5.4.6", weight="stop", domain="image-mismatch")
def belongs_to_a_known_exam(facts: ImageFacts, limits: Limits, now: datetime) -> Hit | None:
    """What a scanner sends is of an exam on record: its Study Instance UID was reserved, or its number was given.

    What was sent is kept all the same; a person says where it belongs.
    """
    if facts.exam_known:
        return None
    return Hit(
        "收到的图像或剂量报告不属于任何已登记的检查。",
        "Images or a dose report arrived that belong to no exam on record.",
        at=facts.at,
        inputs={"study": facts.image.study_uid},
    )
