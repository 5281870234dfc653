"""J07: CT is no part of a child's health check or screening."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts

_WITHOUT_COMPLAINT = frozenset({"health-check", "screening"})


@rule("order.child-health-check", clause="MOH46:26(2)", weight="stop", domain="J07")
def keeps_children_out_of_health_check_ct(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """No child is scanned for a health check or for screening.

    Where the birth date does not tell whether it is a child, a physician decides.
    """
    limit = limits.limit("child.age-below")
    if order.purpose not in _WITHOUT_COMPLAINT or order.surely_from(limit.value):
        return None
    weight = Weight.INFO if order.stat else None if order.surely_below(limit.value) else Weight.ASK
    return Hit(
        "儿童健康检查或筛查不得使用 CT。",
        "CT is not used for the health check or screening of a child.",
        at="ServiceRequest.reasonCode",
        inputs={"age": order.age_years, "purpose": order.purpose},
        limit=limit,
        weight=weight,
    )
