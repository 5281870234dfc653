"""J17: whoever asks for contrast sees the patient's earlier reaction to it, and after a severe one a physician decides."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts

_GRADES = {"mild": "轻度", "moderate": "中度", "severe": "重度", "unknown": "程度不明的"}


@rule("order.contrast-reaction", clause="CL02-A011:5.4.1", weight="ask", domain="J17")
def weighs_an_earlier_reaction_to_contrast(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """An exam with contrast of a patient who once reacted severely to it waits for a physician's decision.

    A lesser reaction is shown. In the green channel all of it is: the gate at the injection stands in any case.
    """
    if not order.contrast or order.contrast_reaction == "none":
        return None
    grade = order.contrast_reaction
    limit = limits.limit("contrast.reaction-decided")
    decided = grade in limit.value and not order.stat
    return Hit(
        f"患者既往有{_GRADES[grade]}对比剂不良反应。",
        f"The patient has had a reaction to contrast ({grade}).",
        at="ServiceRequest.orderDetail",
        inputs={"reaction": grade},
        limit=limit,
        weight=None if decided else Weight.INFO,
    )
