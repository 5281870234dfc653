"""J12: the region fits the indication."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts
from slipring_order.gathering.indications import fits, table_version


@rule("order.region-fits", clause="CL02-A011:5.4.1", weight="warn", domain="J12")
def scans_the_region_that_the_indication_asks_for(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """The region requested is one that at least one of the indications given is a reason to scan.

    Only what the department's table recognises is compared; words it does not know say nothing against a request.
    """
    if not order.regions or not order.indications or order.whole_body:
        return None
    if any(fits(group, order.regions) for group in order.indications):
        return None
    return Hit(
        "检查部位与适应证不相符，请核对。",
        "The region does not match the indication: please check.",
        at="ServiceRequest.code",
        inputs={
            "regions": sorted(order.regions),
            "indications": sorted(order.indications),
            "table": table_version(),
        },
        weight=Weight.INFO if order.stat else None,
    )
