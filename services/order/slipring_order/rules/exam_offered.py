"""The examination asked for is one that the department offers."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts


@rule("order.exam-offered", clause="CL02:5.4.3 d", weight="stop")
def asks_for_an_exam_that_is_offered(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """A coded examination is in the department's catalogue, and the department offers it.

    A code of the hospital's own that no map translates is told as a missing mapping instead.
    """
    if order.exam_withdrawn:
        return Hit(
            "本科室目前不开展所申请的检查，请改选目录中的项目。",
            "The department does not offer this examination at present: please choose another of the catalogue.",
            at="ServiceRequest.code",
            inputs={"exam": order.exam_code},
        )
    if order.exam_unlisted:
        return Hit(
            "所申请的检查代码不在本科室目录中，请核对代码或改选目录中的项目。",
            "The examination's code is not in the department's catalogue: please check it, or choose one of the catalogue.",
            at="ServiceRequest.code",
        )
    return None
