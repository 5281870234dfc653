"""J15: what the green channel changes, said on record."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts


@rule("order.green-channel", clause="CL02-A011:5.4.4.1", weight="info", domain="J15")
def runs_through_the_green_channel(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """With priority stat, rules J05 to J12 inform and delay nothing; a reason is still asked for.

    One named physician may pass whatever is open; what was passed is asked for after the exam.
    """
    if not order.stat:
        return None
    return Hit(
        "绿色通道：J05–J12 仅作提示；一名医师可一次放行全部未决事项，检查后补齐。",
        "Green channel: J05 to J12 inform only; one physician may pass what is open, to be completed after the exam.",
        at="ServiceRequest.priority",
        inputs={"priority": "stat"},
    )
