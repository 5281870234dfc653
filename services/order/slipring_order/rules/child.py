"""J06: before a child is scanned, ultrasound and MR are considered and the paediatric protocol is chosen."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts


@rule("order.child", clause="GBZ130-2020:A", weight="ask", domain="J06")
def considers_the_alternatives_for_a_child(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """A request for a child says that ultrasound or MR were considered and the paediatric protocol is chosen.

    A birth date that leaves it open whether it is a child is treated as the case that asks.
    """
    limit = limits.limit("child.age-below")
    if order.answers.get("J06") or order.surely_from(limit.value):
        return None
    unknown = not order.surely_below(limit.value)
    return Hit(
        "出生日期不全，无法排除儿童：" * unknown + "请说明是否已考虑超声或磁共振，并选用儿童方案。",
        "The birth date is not complete, so a child cannot be ruled out: " * unknown
        + "say whether ultrasound or MR were considered and that the paediatric protocol is chosen.",
        at="ServiceRequest.code",
        inputs={"age": order.age_years, "regions": sorted(order.regions)},
        limit=limit,
        weight=Weight.INFO if order.stat else None,
    )
