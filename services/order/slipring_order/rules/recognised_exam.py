"""J09: what an institution of mutual recognition has scanned is not scanned again without a reason."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import OrderFacts
from slipring_order.rules.repeat_exam import last_of_the_same, seen

_ANY = "*"


@rule("order.recognised-exam", clause="NHC-2022-6", weight="ask", domain="J09")
def recognises_the_exam_of_another_institution(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """A CT of a region that an institution of mutual recognition scanned lately says why it is needed again."""
    limit, recognised = limits.limit("recognition.days"), limits.limit("recognition.institutions").value
    last = last_of_the_same(order, limit.value, now, elsewhere=True)
    if last is None or order.answers.get("J09") or not (_ANY in recognised or last.institution & set(recognised)):
        return None
    days = (now - last.done_at).days
    return Hit(
        f"{days} 天前外院（互认机构）已做过同一部位 CT，请说明重复检查的理由。",
        f"Another institution scanned the same region {days} days ago, which is recognised: say why it is needed again.",
        at="ServiceRequest.code",
        inputs=seen(last, days, order),
        limit=limit,
        weight=Weight.INFO if order.stat else None,
    )
