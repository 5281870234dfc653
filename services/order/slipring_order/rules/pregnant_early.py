"""J04: in the weeks when the embryo is most at risk the lower abdomen is not scanned unless specially needed."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts
from slipring_order.rules.pregnancy import LOWER_TRUNK

_FROM_PERIOD_TO_CONCEPTION = 14  # days
_WEEK = 7


@rule("order.pregnant-early", clause="MOH46:26(3)", weight="stop", domain="J04")
def spares_the_lower_abdomen_in_early_pregnancy(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """From the 8th to the 15th week after conception the lower abdomen is scanned only where specially needed.

    A senior radiologist decides with the requester and with informed consent. Weeks are completed weeks, counted
    from the last menstrual period, the expected date or a measured gestational age, whichever was stated last.
    """
    if not is_early(order, limits) or not order.regions & LOWER_TRUNK:
        return None
    weeks = weeks_after_conception(order)
    return Hit(
        f"患者妊娠，受孕后 {weeks} 周：除非特殊需要，不得行下腹部放射影像检查。",
        f"The patient is pregnant, {weeks} weeks after conception: no imaging of the lower abdomen unless specially needed.",
        at="ServiceRequest.supportingInfo",
        inputs={"weeks-after-conception": weeks, "regions": sorted(order.regions)},
        limit=limits.limit("pregnancy.sensitive-to"),
    )


def is_early(order: OrderFacts, limits: Limits) -> bool:
    """Whether the pregnancy is known and known to be in those weeks."""
    weeks = weeks_after_conception(order)
    if order.pregnancy != "pregnant" or weeks is None:
        return False
    return bool(limits.limit("pregnancy.sensitive-from").value <= weeks <= limits.limit("pregnancy.sensitive-to").value)


def weeks_after_conception(order: OrderFacts) -> int | None:
    """Completed weeks since conception; None when nothing dates the pregnancy."""
    if order.gestation_days is None:
        return None
    return (order.gestation_days - _FROM_PERIOD_TO_CONCEPTION) // _WEEK
