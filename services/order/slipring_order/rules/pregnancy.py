"""J03 and what follows from its answer: pregnancy is asked about before the lower trunk is irradiated."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts

LOWER_TRUNK = frozenset({"abdomen", "pelvis", "lumbar-spine", "hip"})
_AT = "ServiceRequest.supportingInfo"


@rule("order.pregnancy-asked", clause="MOH46:26(3)", weight="stop", domain="J03")
def asks_about_pregnancy(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """A woman of child-bearing age is asked about pregnancy before her abdomen or pelvis is irradiated.

    A birth date that leaves her age open, an unknown sex, or a region that nobody can tell is treated as the case that asks;
    whose uterus was removed is not asked.
    """
    if order.pregnancy or not concerned_by_pregnancy(order, limits):
        return None
    return Hit(
        "未记录本次检查的妊娠情况，请先询问。",
        "Pregnancy status is not recorded for this request.",
        at=_AT,
        inputs=_inputs(order),
        limit=limits.limit("pregnancy.age-to"),
    )


@rule("order.pregnancy-unknown", clause="MOH46:26(3)", weight="ask", domain="J03")
def settles_an_unknown_pregnancy(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """Unknown is never "no": outside an emergency a physician decides when pregnancy is unknown."""
    if order.pregnancy != "unknown" or not concerned_by_pregnancy(order, limits):
        return None
    return Hit(
        "妊娠情况为“不详”，须由医师判断。",
        "Pregnancy is unknown: a physician must decide.",
        at=_AT,
        inputs=_inputs(order),
        weight=Weight.INFO if order.stat else None,
    )


def concerned_by_pregnancy(order: OrderFacts, limits: Limits) -> bool:
    """Whether pregnancy is to be asked about: sex, age band and region; what is not known counts as concerned."""
    if order.sex == "male" or order.uterus_removed or (order.regions and not order.regions & LOWER_TRUNK):
        return False
    youngest, oldest = limits.limit("pregnancy.age-from").value, limits.limit("pregnancy.age-to").value
    return not order.surely_below(youngest) and not order.surely_from(oldest + 1)


def _inputs(order: OrderFacts) -> dict[str, object]:
    return {"sex": order.sex or "not stated", "age": order.age_years, "regions": sorted(order.regions)}
