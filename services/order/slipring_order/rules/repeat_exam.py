"""J08: the same region is not scanned again within days without a reason."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipring.rules.finding import Hit, Weight
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.facts import EarlierExam, OrderFacts


@rule("order.repeat-exam", clause="MOH46:26(1)", weight="ask", version="2", domain="J08")
def gives_a_reason_for_a_repeat(order: OrderFacts, limits: Limits, now: datetime) -> Hit | None:
    """A CT of a region that was scanned here within the last days says why it is needed again.

    The last examination is named, with its report where there is one, so that its result can be looked at first.
    The other side of the body is another examination.
    """
    limit = limits.limit("repeat.days-inpatient" if order.inpatient else "repeat.days-outpatient")
    last = last_of_the_same(order, limit.value, now, elsewhere=False)
    if last is None or order.answers.get("J08"):
        return None
    days = (now - last.done_at).days
    return Hit(
        f"{days} 天前已做过同一部位 CT，请说明重复检查的理由。",
        f"The same region was scanned {days} days ago: say why it is needed again.",
        at="ServiceRequest.code",
        inputs=seen(last, days, order),
        limit=limit,
        weight=Weight.INFO if order.stat else None,
    )


def last_of_the_same(order: OrderFacts, days: int, now: datetime, *, elsewhere: bool) -> EarlierExam | None:
    """The last examination of the same place within so many days, here or at another institution."""
    since = now - timedelta(days=days)
    same = [
        exam
        for exam in order.earlier
        if exam.elsewhere is elsewhere and exam.done_at >= since and exam.same_place(order.regions, order.sides)
    ]
    return max(same, key=lambda exam: exam.done_at, default=None)


def seen(last: EarlierExam, days: int, order: OrderFacts) -> dict[str, object]:
    """What the rule saw of the last examination."""
    regions = sorted(last.regions & order.regions)
    return {"earlier": last.reference, "result": last.result, "days": days, "regions": regions}
