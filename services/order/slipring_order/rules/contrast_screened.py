"""J13: the check before contrast is shown with the request; the gate itself stands at the injection."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts


@rule("order.contrast-screened", clause="CL02-A011:5.4.1", weight="stop", domain="J13")
def shows_the_check_before_contrast(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """An exam with contrast has a completed contrast screening for this request before contrast is given.

    The request may go on meanwhile, as its plain phase may: what is refused without the check is the injection.
    """
    if not order.contrast or order.contrast_screened:
        return None
    return Hit(
        "计划使用对比剂，但针对本次申请的用药前筛查尚未完成。",
        "Contrast is planned, but the screening for this request is not complete.",
        at="ServiceRequest.orderDetail",
        inputs={"contrast": True, "screened": False},
    )
