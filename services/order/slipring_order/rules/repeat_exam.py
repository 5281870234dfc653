"""J08: the same region is not scanned again within days without a reason."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts


@rule("order.repeat-exam", clause="MOH46:26(1)", weight="ask", domain="J08")
def gives_a_reason_for_a_repeat(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """A CT of a region that was scanned within the last days says why it is needed again.

    The last examination is named, so that its result can be looked at first.
    """
    limit = limits.limit("repeat.days-inpatient" if order.inpatient else "repeat.days-outpatient")
    since = now - timedelta(days=limit.value)
    same = [exam for exam in order.earlier if exam.regions & order.regions and exam.done_at >= since]
    if not same or order.answers.get("J08"):
        return None
    last = max(same, key=lambda exam: exam.done_at)
    days = (now - last.done_at).days
    return Hit(
        f"{days} 天前已做过同一部位 CT，请说明重复检查的理由。",
        f"The same region was scanned {days} days ago: say why it is needed again.",
        at="ServiceRequest.code",
        inputs={"earlier": last.reference, "days": days, "regions": sorted(last.regions & order.regions)},
        limit=limit,
        weight=Weight.INFO if order.stat else None,
    )
