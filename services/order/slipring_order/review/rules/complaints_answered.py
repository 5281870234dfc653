"""4.8: complaints are answered within their time."""

from __future__ import annotations

from datetime import datetime

from slipring.rules.finding import Hit
from slipring.rules.limits import Limits
from slipring.rules.rulebook import rule

from slipring_order.review.facts import ComplaintFacts


@rule("order.complaints-answered", clause="CL02-A011:4.8", weight="warn")
def complaints_are_answered_in_time(complaints: ComplaintFacts, limits: Limits, now: datetime) -> Hit | None:
    """Every complaint is answered within the working days that the department allows."""
    limit = limits.limit("complaints.answer-days")
    if not complaints.late:
        return None
    return Hit(
        f"{complaints.late} 件投诉未在 {limit.value} 个工作日内答复。",
        f"{complaints.late} complaints were not answered within {limit.value} working days.",
        at="Task.businessStatus",
        inputs={"late": complaints.late, "received": complaints.received},
        limit=limit,
    )
