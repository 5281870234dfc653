"""J11: more than one phase is requested only where one is not enough."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts
from slipring_order.gathering.indications import warrants_phases


@rule("order.single-phase", clause="GB18871", weight="ask", domain="J11")
def scans_one_phase_where_one_suffices(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """A request for several phases of a region where one suffices says why.

    Indications for which several phases are the usual protocol are the department's table.
    """
    limit = limits.limit("phases.one-suffices")
    if not order.multiphase or order.answers.get("J11") or warrants_phases(order.indications):
        return None
    if not order.regions or not order.regions <= set(limit.value):
        return None
    return Hit(
        "申请多期扫描而该部位通常单期即可，请说明理由。",
        "Several phases are requested where one usually suffices: say why.",
        at="ServiceRequest.code",
        inputs={"regions": sorted(order.regions), "indications": sorted(order.indications)},
        limit=limit,
        weight=Weight.INFO if order.stat else None,
    )
