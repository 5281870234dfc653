"""J05: a known pregnancy is weighed by a physician."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts
from slipring_order.rules.pregnancy import LOWER_TRUNK
from slipring_order.rules.pregnant_early import is_early, weeks_after_conception


@rule("order.pregnant", clause="MOH46:26(3)", weight="warn", version="2", domain="J05")
def weighs_a_known_pregnancy(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """A pregnant patient is scanned only after a physician has weighed it against ultrasound or MR.

    That the alternative was considered is recorded on the request as the answer to J05.
    """
    if order.pregnancy != "pregnant" or (is_early(order, limits) and order.regions & LOWER_TRUNK):
        return None
    return Hit(
        "患者妊娠，须由医师权衡并记录已考虑超声或磁共振。",
        "The patient is pregnant: a physician weighs the scan against ultrasound or MR.",
        at="ServiceRequest.supportingInfo",
        inputs={
            "regions": sorted(order.regions),
            "weeks-after-conception": weeks_after_conception(order),
            "alternative-considered": bool(order.answers.get("J05")),
        },
        weight=Weight.INFO if order.stat else None,
    )
