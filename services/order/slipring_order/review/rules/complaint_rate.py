"""4.8: how many complaints there are for the exams performed."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.review.facts import ComplaintFacts, per

THOUSAND = 1000


@rule("order.complaint-rate", clause="CL02-A011:4.8", weight="warn")
def complaints_stay_rare(complaints: ComplaintFacts, limits: Limits, now: datetime) -> Hit | None:
    """A thousand exams bring no more complaints than the department holds to be tolerable."""
    limit = limits.limit("complaints.per-thousand-exams")
    rate = per(complaints.received * THOUSAND, complaints.exams)
    if rate is None or rate <= limit.value:
        return None
    return Hit(
        f"每千例检查投诉 {rate:.1f} 件，超过 {limit.value} 件。",
        f"{rate:.1f} complaints for a thousand exams, more than {limit.value}.",
        at="Task",
        inputs={"received": complaints.received, "exams": complaints.exams},
        limit=limit,
    )
